"""A camera's decisions, pure: when to send which frame, when to retry, what an answer means.

Both deliveries keep a window of frames in flight that follows the answers (``window.py``), so that
no queue on the way grows with the load.

``live``: a picture that finds the window full waits in the camera, and the next one takes its
place: the newest wins before it is sent. Every frame is sent once, with a deadline.
A live source has no picture for every tick: a tick then waits for the next one, and a picture that is
not fresh any more when the window has room is not sent.
``reliable``: every picture is sent, a frame without an answer again after a timeout that doubles
each time, stamped with the epoch that serves then. Answers are told apart by frame id, so each
frame is answered once.
"""

from dataclasses import dataclass
from typing import Final, Literal

from broker.messages import Active, Result
from broker.retry_timeout import RetryTimeout
from fog_node.camera.window import Window

Delivery = Literal["live", "reliable"]

UNANSWERED_MOST: Final = 32
"""Frames of a reliable camera that may be without an answer, each with its picture in memory."""
_TIMEOUT_FIRST_S, _TIMEOUT_LEAST_S, _TIMEOUT_MOST_S = 2.0, 0.3, 8.0
_DEADLINE_LEAST_S, _DEADLINE_MOST_S = 1.0, 8.0
_DEADLINE_TIMEOUTS: Final = 3.0
_IDLE_S: Final = 1.0
_ALL: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Send:
    """Send this frame, first sent at ``since``, stamped with this epoch.

    ``deadline`` is how long its answer is wanted, in seconds, None: for ever. ``superseded`` pictures
    of the source come before its own and are not sent.
    """

    frame_id: int
    epoch: int
    since: float
    deadline: float | None
    superseded: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """The one answer to a frame; seconds from its first sending."""

    frame_id: int
    result: Result
    latency_s: float
    sent_at: float


@dataclass(slots=True)
class _Pending:
    first_sent: float
    last_sent: float
    late_at: float
    epochs: list[int]
    retries: int = 0


@dataclass(slots=True)
class StreamCounters:
    """What became of the pictures.

    ``superseded`` pictures were never sent, a newer one took their place. ``repeats`` are answers to
    frames that had one already; ``mixed_epochs``: answers by an epoch their frame never had.
    """

    sent: int = 0
    answered: int = 0
    incomplete: int = 0
    superseded: int = 0
    repeats: int = 0
    mixed_epochs: int = 0
    resent: int = 0
    lost: int = 0


class CameraStream:
    """``count`` pictures of one camera, ``fps`` a second; ``count`` None never ends."""

    def __init__(self, fps: float, count: int | None, delivery: Delivery) -> None:
        self.count = count
        self.counters = StreamCounters()
        self.active: Active | None = None
        self._interval = 1.0 / fps
        self._left = _ALL if count is None else count
        self._live = delivery == "live"
        self._pending: dict[int, _Pending] = {}
        self._window = Window(least=1 if self._live else 2, most=UNANSWERED_MOST)
        self._timeout = RetryTimeout(_TIMEOUT_FIRST_S, _TIMEOUT_LEAST_S, _TIMEOUT_MOST_S)
        self._full = False
        self._waiting = 0  # pictures that came while the window was full; the last is the newest
        self._offered = 0  # the number of a live source's picture at the last tick
        self._next_frame = 0
        self._next_at: float | None = None

    def activate(self, active: Active | None) -> None:
        """Take note of what serves now; None when nothing does."""
        before, self.active = self.active, active
        if active is None:
            return
        if before is None or before.epoch != active.epoch:
            self._window.replaced()
        # Said again, it comes by a new connection: what kept the answers away may be over as well.
        self._timeout.forgive()
        timeout_s = self._timeout.seconds
        for pending in self._pending.values():
            # What the epoch before left without an answer need not wait for its backoff.
            pending.retries = min(pending.retries, 1)
            pending.late_at = min(pending.late_at, pending.last_sent + timeout_s)

    @property
    def done(self) -> bool:
        """Whether every picture was sent and answered or, live, given up."""
        return self._left <= 0 and not self._waiting and not self._pending

    @property
    def unanswered(self) -> frozenset[int]:
        """The frames that wait for an answer; their pictures must be kept."""
        return frozenset(self._pending)

    @property
    def next_frame(self) -> int:
        """The id of the next new frame: those before it were sent, or withdrawn."""
        return self._next_frame

    def due(self, now: float, newest: int | None = None) -> list[Send]:
        """Return what to send now; ``now`` is monotonic seconds.

        ``newest`` is the number of a live source's newest picture, 0 if none is fresh; None: the source
        has one for every tick.
        """
        if self.active is None:
            return []
        sends: list[Send] = []
        self._expire(now, sends)
        if self._next_at is None:
            self._next_at = now
        if newest == 0 and self._waiting:  # what waited is too old by now, and nothing is newer
            self.counters.superseded += self._waiting - 1
            self._waiting = 0
        while self._left > 0 and now >= self._next_at and self._comes(newest):
            if not self._live and self._held_back(now):
                break
            self._left -= 1
            self._offered = newest or 0
            self._next_at = self._tick_after(self._next_at, now, live=newest is not None)
            self._waiting += 1
            self._send_newest(now, sends)
        self._send_newest(now, sends)
        return sends

    def withdraw(self, frame_id: int, *, again: bool) -> None:
        """Take note that a new frame was not sent after all; ``again``: another picture is to be instead."""
        if self._pending.pop(frame_id, None) is not None:
            self.counters.sent -= 1
            self._left += again

    def hungry(self, now: float, newest: int | None) -> bool:
        """Return whether a picture is due and could be sent, if only the source had one."""
        if self.active is None or newest != 0 or self._left <= 0:
            return False
        room = self._in_flight(now) < self._window.size and len(self._pending) < UNANSWERED_MOST
        return room and (self._next_at is None or now >= self._next_at)

    def _tick_after(self, tick: float, now: float, *, live: bool) -> float:
        """Return when the next picture is due: who was held up goes on from now, without a flood of the past."""
        following = tick + self._interval
        if live:  # the past is gone
            return following if following > now else now + self._interval
        return max(following, now - self._interval)

    def _comes(self, newest: int | None) -> bool:
        """Return whether the source has a picture that no tick had before."""
        return newest is None or newest > self._offered

    def _held_back(self, now: float) -> bool:
        self._full = self._in_flight(now) >= self._window.size
        return self._full or len(self._pending) >= UNANSWERED_MOST

    def _in_flight(self, now: float) -> int:
        return sum(now < pending.late_at for pending in self._pending.values())

    def _send_newest(self, now: float, sends: list[Send]) -> None:
        """Send the newest of the pictures that wait, if the window has room for it."""
        if not self._waiting or self.active is None or self._held_back(now):
            return
        superseded, self._waiting = self._waiting - 1, 0
        frame_id, epoch = self._next_frame, self.active.epoch
        self._next_frame += 1
        self.counters.sent += 1
        self.counters.superseded += superseded
        deadline = self.deadline_s if self._live else None
        late_at = now + (deadline or self._timeout.seconds)
        self._pending[frame_id] = _Pending(now, now, late_at, [epoch])
        sends.append(Send(frame_id, epoch, now, deadline, superseded))

    def _expire(self, now: float, sends: list[Send]) -> None:
        """Give up what is late, or send it again, the oldest first."""
        epoch = self.active.epoch if self.active else 0
        late = [item for item in self._pending.items() if now >= item[1].late_at]
        if late and self._window.expired(self._timeout.seconds, now):
            self._timeout.expired()
        for frame_id, pending in late:
            if self._live:
                del self._pending[frame_id]
                self.counters.lost += 1
            elif self._in_flight(now) < self._window.size:
                pending.retries += 1
                pending.last_sent = now
                backoff = 2.0 ** min(pending.retries, 8)
                pending.late_at = now + self._timeout.after(backoff)
                pending.epochs.append(epoch)
                self.counters.resent += 1
                sends.append(Send(frame_id, epoch, pending.first_sent, None))

    @property
    def deadline_s(self) -> float:
        """How long the answer to a live frame is wanted."""
        wanted_s = _DEADLINE_TIMEOUTS * self._timeout.seconds
        return min(_DEADLINE_MOST_S, max(_DEADLINE_LEAST_S, wanted_s))

    def next_due(self, now: float, newest: int | None = None) -> float:
        """Return when :meth:`due` has something to do at the latest, unless a newer picture comes."""
        times = [now + _IDLE_S]
        if self.active is None:
            return times[0]
        room = self._in_flight(now) < self._window.size
        times += [p.late_at for p in self._pending.values() if p.late_at > now or room]
        blocked = not room or len(self._pending) >= UNANSWERED_MOST
        due = self._next_at is not None and self._left > 0 and (self._live or not blocked)
        if due and self._next_at is not None and (self._next_at > now or self._comes(newest)):
            times.append(self._next_at)
        return max(now, min(times))

    def answered(self, result: Result, now: float) -> Answer | None:
        """Take an answer; return it unless its frame has one already or is none of ours."""
        pending = self._pending.pop(result.frame_id, None)
        if pending is None:
            self.counters.repeats += result.frame_id < self._next_frame
            return None
        self.counters.answered += 1
        self.counters.incomplete += bool(result.missing)
        self.counters.mixed_epochs += result.epoch not in pending.epochs
        latency = now - pending.first_sent
        if not pending.retries:
            self._timeout.answered(latency)
            self._window.answered(latency, now, full=self._full)
        return Answer(result.frame_id, result, latency, pending.first_sent)
