"""What the answers of one stream come to: how right, how soon, and each as it comes."""

import json
import time
from collections import deque
from collections.abc import Callable, Collection
from typing import Any, Final, TextIO

import numpy as np

from fog_node.camera.stream import Answer

REMEMBERED: Final = 65_536
"""Of so many answers, the last, the latencies are told; a camera may run for months."""


class Tally:
    """Counts answers, writes each to ``log`` as a line of JSON, and has each told."""

    def __init__(self, log: TextIO | None, tell: Callable[[Answer], None] | None) -> None:
        self._log, self._tell = log, tell
        self._latencies: deque[float] = deque(maxlen=REMEMBERED)
        self._judged = self._right = self._unknown = 0
        self._wall_offset = time.time() - time.monotonic()

    def note(self, answer: Answer, label: str | None, classes: Collection[str]) -> None:
        """Take an answer; ``label`` is the true class of its picture if it is one of ``classes``."""
        self._latencies.append(answer.latency_s)
        self._unknown += answer.result.unknown
        truth = label if label in classes else None
        if truth is not None:
            self._judged += 1
            self._right += truth == answer.result.label
        if self._log is not None:
            record = {
                **answer.result.model_dump(),
                "truth": truth,
                "sent_at": answer.sent_at + self._wall_offset,
                "latency_s": answer.latency_s,
            }
            self._log.write(json.dumps(record) + "\n")
            self._log.flush()
        if self._tell is not None:
            self._tell(answer)

    def summary(self) -> dict[str, Any]:
        """Return the accuracy where the truth is known (else None), latencies in ms, and the unknown."""
        quantiles = np.percentile(self._latencies, [50, 95, 99]) * 1000 if self._latencies else None
        return {
            "unknown": self._unknown,
            "accuracy": self._right / self._judged if self._judged else None,
            "latency_ms": None
            if quantiles is None
            else dict(zip(("p50", "p95", "p99"), quantiles.tolist(), strict=True)),
        }
