"""How sure an answer is, and below which sureness it is unknown: fitted to validation pictures.

Temperature scaling: Guo et al., On Calibration of Modern Neural Networks, ICML 2017 (arXiv
1706.04599). Smoothed targets: Platt, Probabilistic Outputs for Support Vector Machines, 1999. N is
the number of pictures, C of classes.
"""

from collections.abc import Callable
from statistics import NormalDist
from typing import Final

import numpy as np
import numpy.typing as npt

from models.bundle import BundleCalibration

Floats = npt.NDArray[np.floating]
Ints = npt.NDArray[np.int64]

COLDEST, HOTTEST = 0.05, 50.0
KEPT: Final = 0.98
KEPT_DEGRADED: Final = 0.9
HIGHEST_THRESHOLD: Final = 0.9
"""However sure a network is of its pictures: above this an answer is always known."""


def calibrate(logits: Floats, labels: Ints, degraded: Floats | None = None) -> BundleCalibration:
    """Fit the temperature, then the threshold, to pictures that were not trained on.

    logits: (N, C) of the whole network. labels: (N,). degraded: (M, N, C), the logits with each of
    M branches missing. The threshold keeps 98 % of the right answers of the whole network, 90 % of
    those with a branch missing, and is never above 0.9. Raises ValueError without pictures, or for
    logits that are not finite.
    """
    if not len(labels) or logits.shape[:1] != labels.shape:
        raise ValueError(
            f"logits {logits.shape} and labels {labels.shape} are not those of pictures"
        )
    if not np.isfinite(logits).all() or (degraded is not None and not np.isfinite(degraded).all()):
        raise ValueError("logits: not finite")
    temperature = fitted_temperature(logits, labels)
    threshold = min(HIGHEST_THRESHOLD, lowest_known(logits, labels, temperature, KEPT))
    if degraded is not None:
        together = degraded.reshape(-1, degraded.shape[-1])  # (M * N, C)
        repeated = np.tile(labels, len(degraded))
        threshold = min(threshold, lowest_known(together, repeated, temperature, KEPT_DEGRADED))
    return BundleCalibration(temperature=temperature, threshold=round(threshold, 4))


def lowest_known(logits: Floats, labels: Ints, temperature: float, kept: float) -> float:
    """Return the confidence that a share of `kept` of the right answers to come reaches.

    It is the quantile of the right answers seen. Fewer than 1 / (1 - kept) do not hold the least
    sure one: then it is that of a normal distribution of their log-odds, where that is lower.
    logits: (N, C).
    """
    right = logits.argmax(1) == labels
    if not right.any():
        return 0.0
    sure = np.clip(confidences(logits[right], temperature), 1e-9, 1 - 1e-9)
    odds = np.log(sure / (1 - sure))
    lowest = float(np.quantile(odds, 1 - kept, method="lower"))
    if len(odds) * (1 - kept) < 1:
        spread = odds.std() * (1 + 1 / len(odds)) ** 0.5
        lowest = min(lowest, float(odds.mean() + NormalDist().inv_cdf(1 - kept) * spread))
    return float(1 / (1 + np.exp(-lowest)))


def confidences(logits: Floats, temperature: float) -> npt.NDArray[np.float64]:
    """Return the softmax of the best class, as a fusion says it: logits (N, C) -> (N,)."""
    scaled = (logits - logits.max(1, keepdims=True)).astype(np.float64) / temperature
    result: npt.NDArray[np.float64] = 1 / np.exp(scaled).sum(1)
    return result


def fitted_temperature(logits: Floats, labels: Ints) -> float:
    """Return the temperature of the lowest cross-entropy with smoothed targets.

    A class seen n times is expected with (n + 1) / (n + C), each other one with 1 / (n + C): as if
    one more picture of every class had come. So pictures that are all right do not make a network
    infinitely sure, and the fewer they are the less sure it is.
    """
    classes = logits.shape[1]
    counts = np.bincount(labels, minlength=classes)[labels]  # (N,)
    targets = np.repeat(1 / (counts + classes)[:, None], classes, axis=1)  # (N, C)
    targets[np.arange(len(labels)), labels] *= counts + 1

    def loss(log_temperature: float) -> float:
        scaled = logits.astype(np.float64) / np.exp(log_temperature)
        scaled -= scaled.max(1, keepdims=True)
        log_sum = np.log(np.exp(scaled).sum(1))
        return float((log_sum - (targets * scaled).sum(1)).mean())

    return float(np.exp(_lowest(loss, float(np.log(COLDEST)), float(np.log(HOTTEST)))))


def _lowest(loss: Callable[[float], float], low: float, high: float) -> float:
    """Return where a function with one valley is lowest, by golden section."""
    golden = (5**0.5 - 1) / 2
    left, right = high - golden * (high - low), low + golden * (high - low)
    at_left, at_right = loss(left), loss(right)
    while high - low > 1e-5:
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - golden * (high - low)
            at_left = loss(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + golden * (high - low)
            at_right = loss(right)
    return (low + high) / 2
