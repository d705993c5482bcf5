"""From the logits of a fusion to the answer."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from broker.calibration import Calibration
from broker.frame import FrameHeader
from broker.messages import HopTime, Result
from broker.ranges import MOST_SECONDS


def answer(
    header: FrameHeader,
    missing: tuple[str, ...],
    logits: NDArray[Any],
    classes: tuple[str, ...],
    calibration: Calibration,
    *,
    now: float,
) -> Result:
    """Return the answer to a frame; ``logits`` of any shape, one number a class, ``now`` in the header's seconds.

    Confidence is calibrated (temperature scaling: Guo et al., ICML 2017, arXiv 1706.04599).

    A network gone wrong answers too, with no confidence: JSON knows no NaN, and a frame without an
    answer would be sent for ever.
    """
    flat = np.nan_to_num(logits.reshape(-1).astype(np.float64))
    sound = flat.size > 0 and bool(np.isfinite(logits).all())
    best = int(flat.argmax()) if flat.size else 0
    scaled = (flat - flat[best]) / calibration.temperature if sound else flat
    confidence = 1.0 / float(np.exp(scaled).sum()) if sound else 0.0
    return Result(
        deployment=header.deployment,
        camera=header.camera,
        frame_id=header.frame_id,
        source=header.source,
        label=classes[best] if best < len(classes) else str(best),
        confidence=confidence,
        unknown=not sound or confidence < calibration.threshold,
        epoch=header.epoch,
        missing=missing,
        latency=tuple(
            HopTime(partition=hop.partition, node=hop.node, queued_s=hop.queued_s, run_s=hop.run_s)
            for hop in header.trace
        ),
        age_s=min(max(0.0, now - header.since), MOST_SECONDS),
    )
