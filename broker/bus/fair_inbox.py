"""What stands between a bus's thread and a loop that many strangers write to: everyone in turn.

One lane per writer, so that a flood costs nobody but its writer. Lanes, messages and bytes are bounded;
in a full lane the newest win. Who is known has most of the turns, and is let in where strangers are not.
"""

import threading
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

T = TypeVar("T")

KNOWN_TURNS: Final = 8
"""So many turns go to those who are known for one of a stranger."""


@dataclass(frozen=True, slots=True)
class FairLimits:
    """How much may wait: in one lane, and in all of them together."""

    lane: int = 64
    lane_bytes: int = 8 * 1024 * 1024
    lanes: int = 4096
    bytes: int = 64 * 1024 * 1024
    own: int = 10_000


@dataclass(slots=True)
class _Lane(Generic[T]):
    items: deque[tuple[T, int]] = field(default_factory=deque)
    size: int = 0


class FairInbox(Generic[T]):
    """A bounded queue between a bus's thread and a loop, with a lane for every writer."""

    def __init__(self, limits: FairLimits | None = None) -> None:
        self._limits = limits or FairLimits()
        self._own: deque[T] = deque()
        self._known: OrderedDict[str, _Lane[T]] = OrderedDict()
        self._strangers: OrderedDict[str, _Lane[T]] = OrderedDict()
        self._bytes = self._turn = 0
        self._ready = threading.Condition(threading.Lock())
        self.dropped = 0

    def put(self, item: T) -> None:
        """Add what comes from within: it is served first."""
        with self._ready:
            if len(self._own) >= self._limits.own:
                self.dropped += 1
                return
            self._own.append(item)
            self._ready.notify()

    def offer(self, writer: str, item: T, size: int, *, known: bool) -> None:
        """Add what a writer sent, of ``size`` bytes; where that is too much something is dropped and counted."""
        limits = self._limits
        with self._ready:
            lane = self._known.get(writer) or self._strangers.get(writer)
            while lane and (len(lane.items) >= limits.lane or lane.size + size > limits.lane_bytes):
                self._take_from(lane)
                self.dropped += 1
                if not lane.items:
                    self._close(writer)
                    lane = None
            if not self._fits(size, known=known) or (
                lane is None and not self._let_in(known=known)
            ):
                self.dropped += 1
                return
            lane = self._lane(writer, known=known)
            lane.items.append((item, size))
            lane.size += size
            self._bytes += size
            self._ready.notify()

    def get(self, timeout: float | None = None) -> T | None:
        """Return the next item, or None when ``timeout`` seconds have passed without one."""
        with self._ready:
            if not self._ready.wait_for(self._waits, timeout):
                return None
            if self._own:
                return self._own.popleft()
            self._turn = (self._turn + 1) % (KNOWN_TURNS + 1)
            first, second = self._known, self._strangers
            if self._turn == 0:
                first, second = second, first
            return self._next(first or second)

    def __len__(self) -> int:
        return len(self._own) + sum(
            len(lane.items) for lanes in (self._known, self._strangers) for lane in lanes.values()
        )

    @property
    def waiting(self) -> bool:
        """Whether anything waits."""
        return self._waits()

    def _waits(self) -> bool:
        return bool(self._own or self._known or self._strangers)

    def _let_in(self, *, known: bool) -> bool:
        """Return whether there is a lane for one more; a stranger gives way to who is known."""
        if len(self._known) + len(self._strangers) < self._limits.lanes:
            return True
        if not known or not self._strangers:
            return False
        self._turn_away()
        return True

    def _lane(self, writer: str, *, known: bool) -> _Lane[T]:
        for lanes in (self._known, self._strangers):
            if writer in lanes:
                return lanes[writer]
        return (self._known if known else self._strangers).setdefault(writer, _Lane())

    def _close(self, writer: str) -> None:
        self._known.pop(writer, None)
        self._strangers.pop(writer, None)

    def _fits(self, size: int, *, known: bool) -> bool:
        """Return whether there are bytes for one more; half of them are for those who are known."""
        if known:
            return self._bytes + size <= self._limits.bytes or self._make_room(size)
        return self._bytes + size <= self._limits.bytes // 2

    def _make_room(self, size: int) -> bool:
        """Turn strangers away until there is room; return whether there is."""
        while self._strangers and self._bytes + size > self._limits.bytes:
            self._turn_away()
        return self._bytes + size <= self._limits.bytes

    def _turn_away(self) -> None:
        _, lane = self._strangers.popitem()
        self._bytes -= lane.size
        self.dropped += len(lane.items)

    def _take_from(self, lane: _Lane[T]) -> T:
        item, size = lane.items.popleft()
        lane.size -= size
        self._bytes -= size
        return item

    def _next(self, lanes: OrderedDict[str, _Lane[T]]) -> T:
        """Return the next item of the lane whose turn it is; one that is empty is gone."""
        writer, lane = next(iter(lanes.items()))
        item = self._take_from(lane)
        if lane.items:
            lanes.move_to_end(writer)
        else:
            del lanes[writer]
        return item
