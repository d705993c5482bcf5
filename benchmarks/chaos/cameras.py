"""The cameras of a run: started, heard by their logs, and asked for their summaries at the end."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from benchmarks.chaos.parts import Parts
from benchmarks.chaos.records import Answer, CameraRecord

CAMERA: Final = "camera"
_WAIT_S: Final = 20


@dataclass(frozen=True, slots=True)
class _Start:
    camera: str
    process: str
    fps: float
    log: Path


class Cameras:
    """``fog-camera stream`` processes for one deployment; each start has a log of its own."""

    def __init__(self, parts: Parts, folder: Path, deployment: str) -> None:
        self._parts, self._folder, self._deployment = parts, folder, deployment
        self._picture = folder / "picture.png"
        self._starts: list[_Start] = []
        pixels = np.random.default_rng(4).integers(0, 256, (64, 64), np.uint8)
        Image.fromarray(pixels).save(self._picture)

    def start(
        self, camera: str, joins: tuple[str, ...], fps: float, seconds: float, delivery: str
    ) -> None:
        """Start a camera that streams ``fps`` frames a second for about ``seconds``."""
        log = self._folder / f"answers-{len(self._starts)}.jsonl"
        process = self._parts.run(
            camera, CAMERA, "fog-camera", "stream", "--deployment", self._deployment,
            *joins, "--source", str(self._picture), "--fps", f"{fps:g}",
            "--count", str(round(fps * seconds)), "--delivery", delivery, "--wait", str(_WAIT_S),
            "--log", str(log), "--json",
        )  # fmt: skip
        self._starts.append(_Start(camera, process, fps, log))

    def answers(self, camera: str | None = None) -> list[Answer]:
        """Return the answers so far, of one camera or of all."""
        starts = [start for start in self._starts if camera in (None, start.camera)]
        return [answer for start in starts for answer in _answers(start.log)]

    @property
    def streaming(self) -> bool:
        """Whether one of them still does."""
        return any(self._parts.wait(start.process, 0.0) is None for start in self._starts)

    def wait(self, patience_s: float) -> None:
        """Return once all have ended; those that have not in time are asked to."""
        until = time.monotonic() + patience_s
        for start in self._starts:
            if self._parts.wait(start.process, max(0.0, until - time.monotonic())) is None:
                self._parts.end(start.process)

    def records(self) -> list[CameraRecord]:
        """Return what each start left behind; one that was killed has no summary."""
        records = []
        for start in self._starts:
            said = self._parts.output(start.process).strip()
            summary = json.loads(said) if said else None
            records.append(CameraRecord(start.camera, start.fps, summary, _answers(start.log)))
        return records


def _answers(log: Path) -> list[Answer]:
    """Return the answers in a log; a line that is still being written is left out."""
    if not log.exists():
        return []
    lines = log.read_text(encoding="utf-8").splitlines(keepends=True)
    return [Answer.of(json.loads(line)) for line in lines if line.endswith("\n")]
