"""What one run of one fault left behind: plain values, read from logs and exit codes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """One line of a camera's log; ``at`` is when the answer came, Unix seconds.

    ``hops`` are the (partition, node) pairs that the frame went through.
    """

    frame_id: int
    epoch: int
    at: float
    latency_s: float
    missing: tuple[str, ...] = ()
    hops: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, line: Mapping[str, Any]) -> "Answer":
        """Return the answer of one line that ``fog-camera stream --log`` wrote."""
        return cls(
            frame_id=line["frame_id"],
            epoch=line["epoch"],
            at=line["sent_at"] + line["latency_s"],
            latency_s=line["latency_s"],
            missing=tuple(line["missing"]),
            hops=tuple((hop["partition"], hop["node"]) for hop in line["latency"]),
        )


@dataclass(frozen=True, slots=True)
class CameraRecord:
    """One start of one camera: its own summary (None: it was killed) and its log of answers."""

    camera: str
    fps: float
    summary: Mapping[str, Any] | None
    answers: Sequence[Answer]

    def said(self, name: str) -> int:
        """Return a count of its summary, 0 if it has none."""
        return 0 if self.summary is None else int(self.summary[name])


@dataclass(frozen=True, slots=True)
class Ending:
    """How a process ended; ``expected`` if we asked it to, or a camera had no more to send.

    ``words`` is the last line that it logged.
    """

    kind: str
    code: int
    expected: bool
    traceback: bool = False
    words: str = ""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run of one fault, times in Unix seconds.

    ``struck_at`` is the first thing that was done, ``broken_at`` the last, from which recovery is
    counted; ``until`` is when the streams ended. ``lies`` are the sentences in which
    ``fog-coordinator status`` was wrong.
    """

    struck_at: float
    broken_at: float
    until: float
    cameras: Sequence[CameraRecord]
    lies: Sequence[str] = ()
    endings: Sequence[Ending] = ()
    placements: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    refusals: Sequence[str] = ()
    notes: Mapping[str, float] = field(default_factory=dict)
    """Figures that only this fault has."""
