"""The threads of a live source: a reader that fails, hangs or talks nonsense ends nothing."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from broker.bus.backoff import Backoff
from fog_node.sources import supervision
from fog_node.sources.live import Feed, LiveSource
from fog_node.sources.newest import Shot
from fog_node.sources.source import SourceError
from fog_node.sources.supervised import Reader, Supervised
from fog_node.sources.supervision import Supervision
from fog_node.sources.video import Video
from tests.fog_node.sources.looking import HANGS_S, Looking


def shot(value: int = 7, size: int = 8) -> Shot:
    pixels = np.full((1, size, size), value, np.uint8)
    return Shot(time.monotonic(), "now", lambda _size: pixels)


class Scripted:
    """A reader that does what the test says; each step gives a picture, raises or waits."""

    polled = False

    def __init__(self, steps: Iterator[Callable[[], Shot | None]]) -> None:
        self._steps = steps
        self.closed = False

    def read(self) -> Shot | None:
        return next(self._steps)()

    def close(self) -> None:
        self.closed = True


def fails() -> Shot | None:
    raise SourceError("it failed")


def forever() -> Iterator[Callable[[], Shot | None]]:
    while True:
        time.sleep(0.005)
        yield shot


def supervised(*openings: Callable[[], Reader]) -> Looking:
    """Return the stream's end of a source that is opened so, one way after the other, the last for good."""
    feed, left = Feed("door"), list(openings)
    Supervised(
        feed,
        lambda: (left.pop(0) if len(left) > 1 else left[0])(),  # noqa: PLW0108
        Supervision(Backoff(0.01, 0.05)),
    )
    return Looking(feed.view())


def reader(*steps: Callable[[], Shot | None], then: bool = True) -> Callable[[], Reader]:
    def script() -> Iterator[Callable[[], Shot | None]]:
        yield from steps
        if then:
            yield from forever()

    return lambda: Scripted(script())


def test_a_source_that_fails_goes_on_and_that_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "fog-camera")

    def refuses() -> Reader:
        raise SourceError("does not open")

    looking = supervised(reader(shot, fails), refuses, refuses, reader())
    looking.picture()
    looking.until(lambda: looking.source.counters["reopened"] == 1)
    looking.picture()
    looking.source.close()
    assert looking.source.trouble is None
    assert caplog.messages == [
        "door: opened",
        "door: it failed; tries again",
        "door: does not open; tries again",
        "door: goes on after 0 s",
    ]


def test_a_read_that_hangs_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "READ_S", 0.1)
    hangs = threading.Event()

    def hang() -> Shot | None:
        hangs.wait(HANGS_S)
        return shot(99)

    looking = supervised(reader(shot, hang), reader())
    looking.picture()
    looking.until(lambda: looking.source.counters["reopened"] == 1)
    hangs.set()  # what it brings now is not taken
    assert {int(looking.picture().pixels[0, 0, 0]) for _ in range(5)} == {7}
    looking.source.close()


def test_what_is_no_picture_is_passed_over_and_one_of_another_size_fitted() -> None:
    def odd() -> Shot | None:
        return None

    looking = supervised(reader(odd, shot, odd, lambda: shot(8, 20)))
    sizes = [looking.picture().pixels.shape for _ in range(3)]
    looking.source.close()
    assert sizes == [(3, 8, 8)] * 3


def test_a_mistake_of_ours_is_logged_and_the_source_opened_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    looking = supervised(reader(lambda: 1 / 0), reader())  # type: ignore[arg-type, return-value]
    looking.picture()
    looking.source.close()
    assert "door: a mistake of ours" in caplog.messages


def test_two_streams_have_one_reader_and_the_last_ends_it() -> None:
    made: list[Scripted] = []

    def open_once() -> Reader:
        made.append(Scripted(forever()))
        return made[-1]

    feed = Feed("door")
    Supervised(feed, open_once)
    first, second = Looking(feed.view()), Looking(feed.view())
    first.picture()
    second.picture()
    first.source.close()
    second.picture()
    second.source.close()
    until = time.monotonic() + HANGS_S
    while not made[0].closed and time.monotonic() < until:
        time.sleep(0.005)
    assert [each.closed for each in made] == [True]


class Capture:
    """OpenCV's VideoCapture as it happens to behave."""

    def __init__(self, *reads: Any, takes: Callable[[], None] = lambda: None) -> None:
        self._reads, self._takes, self._read = list(reads), takes, 0

    def read(self) -> tuple[bool, Any]:
        self._read += 1
        self._takes()
        read = self._reads.pop(0)
        if isinstance(read, Exception):
            raise read
        return read  # type: ignore[no-any-return]

    def get(self, _position: int) -> float:
        return self._read * 40.0

    def release(self) -> None:
        """Give nothing back."""


def test_every_frame_that_opencv_gives_is_a_picture_or_counted() -> None:
    colour = np.zeros((4, 6, 3), np.uint8)
    feed = Feed("door")
    video = Video(
        Capture(
            (True, colour), (True, None), (True, colour[:, :, 0]), (True, np.zeros((9, 9, 4), np.uint8)),
            (True, colour.astype(np.uint16)), (True, colour.astype(np.float32)), (False, None),
        ),
        feed,
    )  # fmt: skip
    shots = [video.read() for _ in range(6)]
    assert shots[1] is None
    assert feed.counts["empty"] == 1
    shapes = [each.pixels((1, 1)).shape for each in shots[:5] if each is not None]
    assert shapes == [(3, 4, 6), (1, 4, 6), (3, 9, 9), (3, 4, 6)]
    view: LiveSource = feed.view()
    assert shots[5] is not None
    feed.put(shots[5])
    assert view.take((3, 4, 4), _whole(), time.monotonic()) is None
    assert view.counters["damaged"] == 1
    with pytest.raises(SourceError, match="the stream ended"):
        video.read()


def test_what_opencv_raises_is_a_few_words() -> None:
    with pytest.raises(SourceError, match=r"failed \(OpenCV: no\)"):
        Video(Capture(RuntimeError("OpenCV:\n no")), Feed("door")).read()


class Timed:
    """A stream of 25 pictures a second, of which each read takes as long as the test says."""

    def __init__(self, *seconds: float) -> None:
        self.now, self._seconds = 1000.0, list(seconds)
        feed = Feed("door", clock=lambda: self.now)
        reads = [(True, np.zeros((4, 6, 3), np.uint8))] * len(seconds)
        self.video = Video(Capture(*reads, takes=self._take), feed, position=0)

    def _take(self) -> None:
        self.now += self._seconds.pop(0)

    def ages(self) -> Iterator[float]:
        """Yield the age of each picture that is read."""
        while True:
            taken = self.video.read()
            assert taken is not None
            yield self.now - taken.at


def test_a_stream_that_this_device_cannot_decode_in_time_is_opened_anew() -> None:
    """Of 25 pictures a second it decodes ten: what it reads is ever older, and is not sent."""
    ages = Timed(*[0.1] * 200).ages()
    seen = [next(ages) for _ in range(35)]
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(35 * (0.1 - 0.04), abs=0.1)
    with pytest.raises(SourceError, match=r"its pictures come \d.\d s late"):
        list(ages)


def test_what_was_kept_while_the_stream_was_opened_is_passed_over() -> None:
    timed = Timed(1.2, *[0.001] * 30, *[0.04] * 10)
    ages = timed.ages()
    assert next(ages) == pytest.approx(0.0)
    assert timed.now == pytest.approx(1000.0 + 1.2 + 0.03 + 0.04)


def test_a_stream_that_comes_to_a_standstill_is_not_taken_for_one_that_goes_on() -> None:
    """OpenCV gives what its decoder had left when its time is over, as if nothing were."""
    ages = Timed(0.04, 0.04, 4.01).ages()
    next(ages)
    with pytest.raises(SourceError, match="gave no picture for 4 s"):
        next(ages)


def _whole() -> Any:
    from pictures.framing import WHOLE

    return WHOLE
