"""A flood costs nobody but its writer, and no more memory than there is for it."""

import threading

from hypothesis import given
from hypothesis import strategies as st

from broker.bus.fair_inbox import KNOWN_TURNS, FairInbox, FairLimits
from broker.bus.inbox import Inbox


def drained(inbox: FairInbox[str]) -> list[str]:
    items = []
    while (item := inbox.get(0)) is not None:
        items.append(item)
    return items


def test_who_wrote_little_waits_for_one_message_of_a_flood() -> None:
    inbox: FairInbox[str] = FairInbox()
    for number in range(50_000):
        inbox.offer("flood", f"junk {number}", 10, known=True)
    inbox.offer("pi", "beat", 10, known=True)
    assert inbox.get(0) == "junk 49936"  # of one lane the newest stay
    assert inbox.get(0) == "beat"
    assert inbox.dropped == 50_000 - 64


def test_twenty_thousand_strangers_leave_the_turns_to_those_who_are_known() -> None:
    inbox: FairInbox[str] = FairInbox(FairLimits(lanes=4000))
    for number in range(20_000):
        inbox.offer(f"stranger-{number}", "junk", 10, known=False)
    for number in range(1000):
        inbox.offer(f"node-{number}", "beat", 10, known=True)
    assert len(inbox) == 4000
    first = [inbox.get(0) for _ in range(1000 + 1000 // KNOWN_TURNS)]
    assert first.count("beat") == 1000
    assert set(drained(inbox)) == {"junk"}


def test_bytes_are_bounded_and_half_of_them_are_for_those_who_are_known() -> None:
    inbox: FairInbox[str] = FairInbox(FairLimits(lane_bytes=40, bytes=100))
    for writer in "abcdef":
        inbox.offer(writer, writer, 20, known=False)
    assert len(inbox) == 2
    for writer in "uvwxyz":
        inbox.offer(writer, writer, 20, known=True)
    assert sorted(drained(inbox)) == list("uvwxy")  # the strangers were turned away for them
    assert inbox.dropped == 7
    inbox.offer("a", "larger than all", 101, known=True)
    assert drained(inbox) == []


def test_what_comes_from_within_goes_first() -> None:
    inbox: FairInbox[str] = FairInbox()
    inbox.offer("pi", "beat", 10, known=True)
    inbox.put("a layout")
    assert drained(inbox) == ["a layout", "beat"]


def test_who_waits_is_woken() -> None:
    inbox: FairInbox[str] = FairInbox()
    thread = threading.Thread(target=lambda: inbox.offer("pi", "beat", 1, known=False))
    thread.start()
    assert inbox.get(20.0) == "beat"
    thread.join()


@given(
    st.lists(
        st.tuples(st.sampled_from("abcd"), st.integers(0, 60), st.booleans()) | st.none(),
        max_size=60,
    )
)
def test_it_never_holds_more_than_its_limits_and_counts_what_it_drops(
    steps: list[tuple[str, int, bool] | None],
) -> None:
    limits = FairLimits(lane=3, lane_bytes=70, lanes=3, bytes=120)
    inbox: FairInbox[tuple[str, int]] = FairInbox(limits)
    offered = taken = 0
    for step in steps:
        if step is None:
            taken += inbox.get(0) is not None
            continue
        writer, size, known = step
        inbox.offer(writer, (writer, size), size, known=known)
        offered += 1
    waiting = len(inbox)
    left = []
    while (item := inbox.get(0)) is not None:
        left.append(item)
    assert len(left) == waiting
    assert offered == taken + waiting + inbox.dropped
    assert sum(size for _, size in left) <= limits.bytes
    for writer in "abcd":
        own = [size for name, size in left if name == writer]
        assert len(own) <= limits.lane
        assert sum(own) <= limits.lane_bytes


def test_the_lanes_of_a_plain_inbox_are_bounded_in_bytes_too() -> None:
    inbox: Inbox[bytes] = Inbox(size=len, lane_bytes=100)
    for number in range(10):
        inbox.put(bytes([number]) * 40)
        inbox.offer(bytes([number]) * 40)
    heads = []
    while (item := inbox.get(0)) is not None:
        heads.append(item[0])
    assert heads == [0, 1, 8, 9]  # control keeps the first, the stream the newest
    inbox.put(bytes(100))
    assert inbox.get(0) is not None
