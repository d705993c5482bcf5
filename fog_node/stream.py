"""A camera's decisions, pure: when to send which frame, when to send it again, what an answer means.

``live``: every frame is sent once, with a deadline; the newest win. ``reliable``: a window of
unanswered frames is kept and sent again when their answer is late, stamped with the epoch that
serves then; answers are told apart by frame id, so each frame is answered once.
"""

import statistics
from collections import deque
from dataclasses import dataclass
from typing import Final, Literal

from broker.messages import Active, Result

Delivery = Literal["live", "reliable"]

WINDOW: Final = 32
LIVE_DEADLINE_S: Final = 1.0
_RESEND_S: Final = 1.0
_RESEND_AFTER_LATENCIES: Final = 4.0
_ALL: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Send:
    """Send this frame, first sent at ``since``, stamped with this epoch; ``deadline`` in seconds, None to wait."""

    frame_id: int
    epoch: int
    since: float
    deadline: float | None


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
    epochs: set[int]


@dataclass(slots=True)
class StreamCounters:
    """What became of the frames. ``mixed_epochs``: answers by an epoch their frame never had."""

    sent: int = 0
    answered: int = 0
    incomplete: int = 0
    duplicates: int = 0
    mixed_epochs: int = 0
    resent: int = 0
    lost: int = 0


class Stream:
    """The frames 0 to ``count`` - 1 of one camera, ``fps`` a second; ``count`` None never ends."""

    def __init__(self, fps: float, count: int | None, delivery: Delivery) -> None:
        self.counters = StreamCounters()
        self.active: Active | None = None
        self._interval = 1.0 / fps
        self._count = _ALL if count is None else count
        self._delivery = delivery
        self._pending: dict[int, _Pending] = {}
        self._latencies: deque[float] = deque(maxlen=64)
        self._next_frame = 0
        self._next_at: float | None = None

    def activate(self, active: Active | None) -> None:
        """Take note of what serves now; None when nothing does."""
        self.active = active

    @property
    def done(self) -> bool:
        """Whether every frame was sent and answered or, live, given up."""
        return self._next_frame >= self._count and not self._pending

    @property
    def unanswered(self) -> frozenset[int]:
        """The frames that wait for an answer; their pictures must be kept."""
        return frozenset(self._pending)

    def due(self, now: float) -> list[Send]:
        """Return what to send now; ``now`` is monotonic seconds."""
        if self.active is None:
            return []
        sends = self._late(now)
        if self._next_at is None:
            self._next_at = now
        while self._next_frame < self._count and now >= self._next_at:
            if self._delivery == "reliable" and len(self._pending) >= WINDOW:
                break
            sends.append(self._first(now))
            # A camera that was held up goes on from now: it does not flood the fog with the past.
            self._next_at = max(self._next_at + self._interval, now - self._interval)
        return sends

    def _first(self, now: float) -> Send:
        assert self.active is not None  # noqa: S101 - due() checked it
        frame_id, epoch = self._next_frame, self.active.epoch
        self._next_frame += 1
        self.counters.sent += 1
        self._pending[frame_id] = _Pending(now, now, {epoch})
        return Send(frame_id, epoch, now, LIVE_DEADLINE_S if self._delivery == "live" else None)

    def _late(self, now: float) -> list[Send]:
        sends: list[Send] = []
        epoch = self.active.epoch if self.active else 0
        resend_s = self.resend_s
        for frame_id, pending in list(self._pending.items()):
            if self._delivery == "live":
                if now - pending.last_sent >= 2 * LIVE_DEADLINE_S:
                    del self._pending[frame_id]
                    self.counters.lost += 1
            elif now >= pending.last_sent + resend_s:  # as next_due() says, to the last bit
                pending.last_sent = now
                pending.epochs.add(epoch)
                self.counters.resent += 1
                sends.append(Send(frame_id, epoch, pending.first_sent, None))
        return sends

    @property
    def resend_s(self) -> float:
        """How long an answer may take before its frame is sent again."""
        if not self._latencies:
            return 2 * _RESEND_S
        usual = statistics.median(self._latencies)
        return max(_RESEND_S, _RESEND_AFTER_LATENCIES * usual)

    def next_due(self, now: float) -> float:
        """Return when :meth:`due` has something to do at the latest."""
        times = [now + _RESEND_S]
        if self.active is None:
            return times[0]
        if self._next_at is not None and self._next_frame < self._count:
            times.append(max(self._next_at, now))
        if self._delivery == "reliable" and len(self._pending) >= WINDOW:
            times = [now + _RESEND_S]
        resend_s = self.resend_s
        times += [pending.last_sent + resend_s for pending in self._pending.values()]
        return min(times)

    def answered(self, result: Result, now: float) -> Answer | None:
        """Take an answer; return it unless its frame has one already or is none of ours."""
        pending = self._pending.pop(result.frame_id, None)
        if pending is None:
            self.counters.duplicates += result.frame_id < self._next_frame
            return None
        self.counters.answered += 1
        self.counters.incomplete += bool(result.missing)
        self.counters.mixed_epochs += result.epoch not in pending.epochs
        latency = now - pending.first_sent
        self._latencies.append(now - pending.last_sent)
        return Answer(result.frame_id, result, latency, pending.first_sent)
