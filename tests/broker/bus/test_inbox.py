"""The inbox: control before stream, the newest of the stream, and never more than its limits."""

import threading
from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from broker.bus.inbox import Inbox


@given(st.lists(st.sampled_from(["put", "offer", "get"])), st.integers(1, 4), st.integers(1, 4))
def test_it_is_two_bounded_queues(steps: list[str], stream_limit: int, control_limit: int) -> None:
    inbox: Inbox[int] = Inbox(stream_limit, control_limit)
    control: list[int] = []
    stream: deque[int] = deque(maxlen=stream_limit)
    dropped = 0
    for number, step in enumerate(steps):
        if step == "offer":
            dropped += len(stream) == stream_limit
            inbox.offer(number)
            stream.append(number)
        elif step == "put":
            inbox.put(number)
            if len(control) < control_limit:
                control.append(number)
            else:
                dropped += 1
        else:
            expected = control.pop(0) if control else stream.popleft() if stream else None
            assert inbox.get(0.0) == expected
        assert len(inbox) == len(control) + len(stream)
        assert inbox.dropped == dropped


def test_whoever_waits_is_woken() -> None:
    inbox: Inbox[str] = Inbox()
    got: list[str | None] = []
    waiting = threading.Thread(target=lambda: got.append(inbox.get(10.0)))
    waiting.start()
    inbox.offer("frame")
    waiting.join(10.0)
    assert got == ["frame"]


def test_nothing_from_many_threads_is_lost() -> None:
    inbox: Inbox[tuple[int, int]] = Inbox()

    def send(who: int) -> None:
        for n in range(500):
            inbox.put((who, n))

    threads = [threading.Thread(target=send, args=(who,)) for who in range(4)]
    for thread in threads:
        thread.start()
    got = [inbox.get(10.0) for _ in range(2000)]
    for thread in threads:
        thread.join()
    assert inbox.get(0.0) is None
    for who in range(4):
        assert [item[1] for item in got if item and item[0] == who] == list(range(500))
