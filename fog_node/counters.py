"""Everything a fog node counts, declared once: its name, what it means, and whether the log tells of it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Declared:
    """One counter; ``logged`` ones tell of something lost, refused or repeated."""

    meaning: str
    logged: bool = True


DECLARED: Final[Mapping[str, Declared]] = {
    "frames": Declared("frames taken from cameras", logged=False),
    "tensors": Declared("tensors taken from other nodes", logged=False),
    "runs": Declared("partitions run", logged=False),
    "answers": Declared("frames answered by a fusion here", logged=False),
    "incomplete": Declared("of those, answered without some branch", logged=False),
    "stood_in": Declared("of those, answered in place of the first fusion", logged=False),
    "chunks": Declared("chunks of artifacts received", logged=False),
    "loaded": Declared("partitions loaded", logged=False),
    "given": Declared("chunks of artifacts given to the coordinator", logged=False),
    "received_bytes": Declared("payload bytes received", logged=False),
    "sent_bytes": Declared("payload bytes sent", logged=False),
    "repeated": Declared("frames and tensors that came again", logged=False),
    "other_epoch": Declared("frames and tensors of an epoch that is not served here"),
    "stale_assignment": Declared("assignments of an epoch that has a successor here"),
    "turned_away": Declared("assignments that there was no room for beside those at hand"),
    "run_failed": Declared("runs that onnxruntime refused"),
    "overran": Declared("runs that did not end and were ended"),
    "artifact_refused": Declared("artifacts that did not match their hash"),
    "expired": Declared("runs dropped because their deadline had passed"),
    "queue_full": Declared("runs dropped because too many waited"),
    "retired": Declared("runs dropped with their epoch", logged=False),
    "given_up": Declared("frames given up for lack of inputs"),
    "inbox_dropped": Declared("messages dropped because the node could not keep up"),
    "too_large": Declared("messages larger than any of their topic"),
    "bus_dropped": Declared("messages dropped because the broker could not keep up or was gone"),
    "bus_refused": Declared(
        "messages and subscriptions that the broker did not allow", logged=False
    ),
    "store_failed": Declared("artifacts that could not be kept on the disk"),
    "mistakes": Declared("decisions that failed by a mistake of ours"),
    "bad_assignment": Declared("assignments that could not be decoded"),
    "bad_request": Declared("artifact requests that could not be decoded", logged=False),
    "bad_result": Declared("answers of the first fusion that could not be decoded"),
    "bad_input": Declared("frames that their assignment's input does not fit"),
    "bad_magic": Declared("binary messages that are not ours"),
    "bad_truncated": Declared("binary messages cut short"),
    "bad_header": Declared("binary messages with a malformed header"),
    "bad_dtype": Declared("tensors of a dtype that is not expected or does not travel"),
    "bad_shape": Declared("tensors of another shape than assigned"),
    "bad_size": Declared("tensors too large for a message"),
    "bad_trace": Declared("tensors with too long a way behind them"),
    "bad_chunk": Declared("chunks that do not fit their artifact"),
    "bad_topic": Declared("tensors on a topic that is not theirs"),
    "bad_unknown_tensor": Declared("tensors that no partition here takes"),
}


class Counters:
    """Totals since the start; counting what is not declared is a mistake in the code.

    Raises:
        KeyError: the name is not declared.
    """

    def __init__(self) -> None:
        self._totals: Counter[str] = Counter()

    def count(self, name: str, times: int = 1) -> None:
        """Count something."""
        if name not in DECLARED:
            raise KeyError(name)
        self._totals[name] += times

    def __getitem__(self, name: str) -> int:
        return self._totals[name]

    def totals(self) -> dict[str, int]:
        """Return what was counted at least once, by name."""
        return {name: total for name, total in self._totals.items() if total}


def worth_logging(names: Iterable[str]) -> list[str]:
    """Return those that tell of something lost, refused or repeated, in order."""
    return sorted(name for name in names if name not in DECLARED or DECLARED[name].logged)
