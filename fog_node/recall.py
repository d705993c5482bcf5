"""What partitions made of the latest frames, so that a frame that is sent again is not computed again. Pure."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final

from numpy.typing import NDArray

from fog_node.partition_run import PartitionRun, RunKey

_LARGEST_BYTES: Final = 16 * 1024
"""Partial logits are a few bytes; what a stage makes in the middle of a branch is computed again."""
_RUNS: Final = 1024


class Recall:
    """Outputs of the latest runs, by tensor, as arrays of their TensorSpec's shape."""

    def __init__(self) -> None:
        self._made: OrderedDict[RunKey, dict[str, NDArray[Any]]] = OrderedDict()

    def note(self, run: PartitionRun, outputs: Mapping[str, NDArray[Any]]) -> None:
        """Keep what a run made, if it is small; a fusion is run again, for it may have more inputs then."""
        if run.partition.fusion is not None:
            return
        if sum(data.nbytes for data in outputs.values()) > _LARGEST_BYTES:
            return
        self._made[run.key] = dict(outputs)
        self._made.move_to_end(run.key)
        if len(self._made) > _RUNS:
            self._made.popitem(last=False)

    def made_of(self, run: PartitionRun) -> dict[str, NDArray[Any]] | None:
        """Return what an earlier run of the same made, or None."""
        return self._made.get(run.key)

    def forget(self, deployment: str, epoch: int) -> None:
        """Forget an epoch that is no longer served."""
        for key in [key for key in self._made if key[:2] == (deployment, epoch)]:
            del self._made[key]
