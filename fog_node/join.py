"""The join of the inputs of one frame: pure, one table per partition that takes several tensors.

A fusion may go without some of its inputs. It waits ``patience_s`` for one that is silent, however
many frames wait meanwhile: a node that is behind still sends, in order, and is waited for; a node that
is gone does not. An input that has sent a later frame of the same camera will hardly send this one
any more, and is waited for as long again. An input that was missed in a row without a sign of it
is suspected to be gone, and is then waited for only a tenth of that, so that a dead device costs the
stream no more than its first few answers; one late tensor of it, and it is waited for in full again.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from broker.frame import FrameKey, FrameTensor

_SUSPECT_AFTER: Final = 2
_SUSPECT_SHARE: Final = 0.1
_REMEMBERED: Final = 1024


@dataclass(frozen=True, slots=True)
class Joined:
    """The inputs of one frame, and which of them it goes without."""

    key: FrameKey
    inputs: dict[str, FrameTensor]
    missing: tuple[str, ...]


@dataclass(slots=True)
class _Waiting:
    since: float
    inputs: dict[str, FrameTensor] = field(default_factory=dict)
    overtaken: dict[str, float] = field(default_factory=dict)
    """When an input first sent a later frame of the same camera."""


class Join:
    """Gathers the tensors of a frame for one partition; never mixes frames.

    ``min_inputs`` of them suffice when ``patience_s`` is over; a partition that needs all gives
    the frame up then. At most ``limit`` frames wait, the oldest is given up first.
    """

    def __init__(
        self, names: tuple[str, ...], min_inputs: int, patience_s: float, limit: int = 256
    ) -> None:
        self._names = names
        self._min_inputs, self._patience_s, self._limit = min_inputs, patience_s, limit
        self._waiting: OrderedDict[FrameKey, _Waiting] = OrderedDict()
        self._missed = dict.fromkeys(names, 0)
        self._heard_at = dict.fromkeys(names, -float("inf"))
        self._answered: OrderedDict[FrameKey, tuple[str, ...]] = OrderedDict()
        """Frames that had their answer, and what it went without."""
        self.given_up = 0

    def add(self, tensor: FrameTensor, now: float) -> Joined | None:
        """Take one tensor; return the frame when it is whole."""
        name, key = tensor.tensor, tensor.header.key
        self._missed[name], self._heard_at[name] = 0, now
        waiting = self._waiting.setdefault(key, _Waiting(now))
        waiting.inputs[name] = tensor
        self._overtake(name, key, now)
        if len(waiting.inputs) == len(self._names):
            return self._finish(key, waiting)
        if len(self._waiting) > self._limit:
            self._give_up(*next(iter(self._waiting.items())))
        return None

    def _overtake(self, name: str, key: FrameKey, now: float) -> None:
        camera, frame_id = key
        for (other, earlier), waiting in self._waiting.items():
            if other == camera and earlier < frame_id and name not in waiting.inputs:
                waiting.overtaken.setdefault(name, now)

    def expire(self, now: float) -> list[Joined]:
        """Return the frames that go without some inputs now, and give up those that cannot."""
        due = [
            (key, waiting)
            for key, waiting in self._waiting.items()
            if now >= self._due_at(waiting)  # as next_expiry() says
        ]
        joined = []
        for key, waiting in due:
            if self._straggler(key, waiting) or len(waiting.inputs) < self._min_inputs:
                self._give_up(key, waiting)
            else:
                joined.append(self._finish(key, waiting))
        return joined

    def next_expiry(self) -> float | None:
        """Return when :meth:`expire` has something to do, in the seconds of ``now``."""
        return min((self._due_at(waiting) for waiting in self._waiting.values()), default=None)

    def _due_at(self, waiting: _Waiting) -> float:
        """Return when the last of the absent inputs has been waited for long enough."""
        return max(self._awaited_until(name, waiting) for name in self._absent(waiting))

    def _awaited_until(self, name: str, waiting: _Waiting) -> float:
        if self._missed[name] >= _SUSPECT_AFTER:
            return waiting.since + self._patience_s * _SUSPECT_SHARE
        silent_since = max(waiting.since, self._heard_at[name])
        return min(silent_since, waiting.overtaken.get(name, silent_since)) + self._patience_s

    def _absent(self, waiting: _Waiting) -> list[str]:
        return [name for name in self._names if name not in waiting.inputs]

    def _straggler(self, key: FrameKey, waiting: _Waiting) -> bool:
        """Return whether this is only what the answer to a frame went without.

        A frame that its camera sent again, for the answer was lost, has more than that.
        """
        return waiting.inputs.keys() <= set(self._answered.get(key, ()))

    def _give_up(self, key: FrameKey, waiting: _Waiting) -> None:
        del self._waiting[key]
        self.given_up += not self._straggler(key, waiting)

    def _finish(self, key: FrameKey, waiting: _Waiting) -> Joined:
        del self._waiting[key]
        missing = tuple(self._absent(waiting))
        if key not in self._answered:  # what came twice says nothing about who is gone
            for name in missing:
                self._missed[name] += 1
        self._answered[key] = missing
        if len(self._answered) > _REMEMBERED:
            self._answered.popitem(last=False)
        return Joined(key, waiting.inputs, missing)
