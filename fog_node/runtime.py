"""onnxruntime behind one small door: an artifact becomes a session that takes and gives arrays."""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from broker.printable import printable
from fog_node.watchdog import Watched

_WARM_UP_RUNS: Final = 2
_MEASURED_RUNS: Final = 5
_PAUSE_S: Final = 0.005
_ENOUGH_S: Final = 2.0
"""After which one more run would tell nothing that is worth the wait."""


class RuntimeFailureError(Exception):
    """onnxruntime refused a model or a run, in one line."""


class OnnxSession:
    """One loaded partition, of a graph that was checked before (`broker.graph.check`).

    ``watched``, here and below, can end from another thread what is going on.

    Raises:
        RuntimeFailureError: it is no model that onnxruntime can load, a shape is not fixed, or what it
            takes or gives is no tensor of floats.
    """

    def __init__(self, model: bytes, threads: int, watched: Watched | None = None) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Spinning threads of several sessions starve each other: p50 102 ms against 48, three agents on two cores.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # Else bytes that look like its own format are read as that, which nobody checked.
        options.add_session_config_entry("session.load_model_format", "ONNX")
        options.log_severity_level = 4
        if watched is not None:
            watched.ends_by(lambda: options.set_load_cancellation_flag(True))
        try:
            self._session = onnxruntime.InferenceSession(
                model, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # noqa: BLE001 - onnxruntime raises many kinds, none documented
            raise RuntimeFailureError(_one_line(error)) from None
        self.shapes: dict[str, tuple[int, ...]] = {}
        """Of what it takes and gives, by name."""
        self._zeros: dict[str, NDArray[Any]] = {}
        for value in self._session.get_inputs():
            if value.type != "tensor(float)" or not all(isinstance(n, int) for n in value.shape):
                raise RuntimeFailureError(f"input {value.name}: {value.type} {value.shape}")
            try:
                self._zeros[value.name] = np.zeros(value.shape, np.float32)
            except (MemoryError, ValueError) as error:
                raise RuntimeFailureError(f"input {value.name}: {_one_line(error)}") from None
        for value in self._session.get_outputs():
            if value.type != "tensor(float)":
                raise RuntimeFailureError(f"output {value.name}: {value.type}")
            self.shapes[value.name] = tuple(value.shape)
        self._outputs = [value.name for value in self._session.get_outputs()]
        self.shapes |= {name: zeros.shape for name, zeros in self._zeros.items()}

    @property
    def inputs(self) -> frozenset[str]:
        """The tensors it takes."""
        return frozenset(self._zeros)

    @property
    def outputs(self) -> frozenset[str]:
        """The tensors it gives."""
        return frozenset(self._outputs)

    def run(
        self, inputs: dict[str, NDArray[Any]], watched: Watched | None = None
    ) -> dict[str, NDArray[Any]]:
        """Return the outputs; an input that is not given counts as zeros.

        Raises:
            RuntimeFailureError: onnxruntime would not run it, or was told to end.
        """
        options = onnxruntime.RunOptions()
        options.log_severity_level = 4
        if watched is not None:
            watched.ends_by(lambda: setattr(options, "terminate", True))
        try:
            values = self._session.run(self._outputs, {**self._zeros, **inputs}, options)
        except Exception as error:  # noqa: BLE001 - see above
            raise RuntimeFailureError(_one_line(error)) from None
        return dict(zip(self._outputs, values, strict=True))

    def measure(self, watched: Watched | None = None) -> float:
        """Return the seconds of a run: the median of a few, once warm.

        A run that takes long is made fewer times. Each is handed to another thread and comes back after a pause, as for a frame on an idle fog:
        what a run costs beside its arithmetic is part of it.
        """
        seconds: list[float] = []
        with ThreadPoolExecutor(1) as runner:
            if watched is not None:
                runner.submit(watched.here).result()
            while len(seconds) < _WARM_UP_RUNS + _MEASURED_RUNS:
                time.sleep(_PAUSE_S)
                start = time.perf_counter()
                runner.submit(self.run, {}, watched).result()
                seconds.append(time.perf_counter() - start)
                if len(seconds) > 1 and sum(seconds) > _ENOUGH_S:
                    break
        return statistics.median(seconds[_WARM_UP_RUNS:] or seconds[1:])


def _one_line(error: Exception) -> str:
    return printable(" ".join(str(error).split()), 300)
