"""What a fog node sees of its own work, for its beat: times of late, answers and what they lacked. Pure."""

from collections import Counter, OrderedDict, defaultdict, deque
from statistics import median
from typing import Any, Final

from broker.messages import Result

RECENT_S: Final = 2.0
_SAMPLES: Final = 64
_REMEMBERED: Final = 4096
_CAMERA_S: Final = 10.0
"""A camera without a new frame for so long is not counted."""

_Samples = deque[tuple[float, float]]
"""When it was, and the seconds."""


class Observations:
    """By deployment: seconds by partition, age of answered frames, answers and missing tensors."""

    def __init__(self) -> None:
        self._runs: defaultdict[tuple[str, str], _Samples] = defaultdict(_samples)
        self._ages: defaultdict[str, _Samples] = defaultdict(_samples)
        self._answers: Counter[str] = Counter()
        self._incomplete: Counter[str] = Counter()
        self._missing: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._frames: OrderedDict[tuple[str, str, int], None] = OrderedDict()
        self._cameras: defaultdict[str, dict[str, float]] = defaultdict(dict)

    def ran(self, deployment: str, partition: str, seconds: float, now: float) -> None:
        """Take note of a run."""
        self._runs[deployment, partition].append((now, seconds))

    def answered(self, result: Result, age_s: float, now: float) -> None:
        """Take note of an answer to a frame that its camera first sent ``age_s`` seconds ago.

        Only the first answer to a frame counts: a tensor that came twice, or a frame that was sent
        again because its answer got lost, says nothing about how well the nodes do.
        """
        name = result.deployment
        frame = (name, result.camera, result.frame_id)
        if frame in self._frames:
            return
        self._frames[frame] = None
        if len(self._frames) > _REMEMBERED:
            self._frames.popitem(last=False)
        self._cameras[name][result.camera] = now
        self._ages[name].append((now, age_s))
        self._answers[name] += 1
        self._incomplete[name] += bool(result.missing)
        self._missing[name].update(result.missing)

    def forget(self, deployments: set[str]) -> None:
        """Forget all but these deployments."""
        for gone in self._answers.keys() - deployments:
            del self._answers[gone], self._incomplete[gone]
            self._ages.pop(gone, None)
            self._cameras.pop(gone, None)
            self._missing.pop(gone, None)
        for key in [key for key in self._runs if key[0] not in deployments]:
            del self._runs[key]

    def fields(self, now: float) -> dict[str, Any]:
        """Return the fields of a beat."""
        seconds: defaultdict[str, dict[str, float]] = defaultdict(dict)
        for (deployment, partition), samples in self._runs.items():
            if (usual := _recent(samples, now)) is not None:
                seconds[deployment][partition] = usual
        ages = {name: _recent(samples, now) for name, samples in self._ages.items()}
        cameras = {name: _seen(seen, now) for name, seen in self._cameras.items()}
        return {
            "cameras": {name: count for name, count in cameras.items() if count},
            "answers": dict(self._answers),
            "incomplete": dict(self._incomplete),
            "missing": {name: dict(counts) for name, counts in self._missing.items()},
            "seconds": dict(seconds),
            "response_s": {name: age for name, age in ages.items() if age is not None},
        }


def _samples() -> _Samples:
    return deque(maxlen=_SAMPLES)


def _seen(cameras: dict[str, float], now: float) -> int:
    """Return how many cameras were seen lately, and forget the others."""
    for camera in [camera for camera, at in cameras.items() if now - at > _CAMERA_S]:
        del cameras[camera]
    return len(cameras)


def _recent(samples: _Samples, now: float) -> float | None:
    """Return the median of late, None where there was nothing."""
    while samples and now - samples[0][0] > RECENT_S:
        samples.popleft()
    return median(seconds for _, seconds in samples) if samples else None
