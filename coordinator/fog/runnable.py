"""Whether fog nodes would run a bundle: they look for themselves, but whoever deploys is told at once."""

from pathlib import Path

from broker.graph.check import check_graph
from broker.graph.onnx_file import GraphError
from models.bundle import Bundle, BundleError


def check_runnable(bundle: Bundle, folder: Path) -> None:
    """Look at every partition of a bundle as a fog node does before it loads it.

    Raises:
        BundleError: a fog node would refuse one; the sentence names the file.
    """
    for part in bundle.partitions:
        path = folder / part.file
        try:
            check_graph(path.read_bytes(), part.memory_bytes)
        except GraphError as error:
            raise BundleError(f"{path}: {error}") from None
        except OSError as error:
            raise BundleError(f"{path}: {error.strerror}") from None
