"""onnxruntime behind one small door: an artifact becomes a session that takes and gives arrays."""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

_WARM_UP_RUNS: Final = 2
_MEASURED_RUNS: Final = 5
_PAUSE_S: Final = 0.005


class RuntimeFailureError(Exception):
    """onnxruntime refused a model or a run, in one line."""


class OnnxSession:
    """One loaded partition.

    Raises:
        RuntimeFailureError: it is no model that onnxruntime can load, a shape is not fixed, or what it
            takes or gives is no tensor of floats.
    """

    def __init__(self, model: bytes, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Spinning threads of several sessions starve each other: p50 102 ms against 48, three agents on two cores.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 4
        try:
            self._session = onnxruntime.InferenceSession(
                model, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # noqa: BLE001 - onnxruntime raises many kinds, none documented
            raise RuntimeFailureError(_one_line(error)) from None
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
        self._outputs = [value.name for value in self._session.get_outputs()]

    @property
    def inputs(self) -> frozenset[str]:
        """The tensors it takes."""
        return frozenset(self._zeros)

    @property
    def outputs(self) -> frozenset[str]:
        """The tensors it gives."""
        return frozenset(self._outputs)

    def run(self, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Return the outputs; an input that is not given counts as zeros.

        Raises:
            RuntimeFailureError: onnxruntime would not run it.
        """
        try:
            values = self._session.run(self._outputs, {**self._zeros, **inputs})
        except Exception as error:  # noqa: BLE001 - see above
            raise RuntimeFailureError(_one_line(error)) from None
        return dict(zip(self._outputs, values, strict=True))

    def measure(self) -> float:
        """Return the seconds of a run: the median of a few, once warm.

        Each is handed to another thread and comes back after a pause, as for a frame on an idle fog:
        what a run costs beside its arithmetic is part of it.
        """
        seconds = []
        with ThreadPoolExecutor(1) as runner:
            for _ in range(_WARM_UP_RUNS + _MEASURED_RUNS):
                time.sleep(_PAUSE_S)
                start = time.perf_counter()
                runner.submit(self.run, {}).result()
                seconds.append(time.perf_counter() - start)
        return statistics.median(seconds[_WARM_UP_RUNS:])


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
