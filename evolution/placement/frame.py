"""The way of one frame through an idle fog: how long it takes, and the use of every resource."""

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np

from evolution.placement.arrays import arrays_of, bench_for
from evolution.placement.cost_model import CostModel
from evolution.placement.kernel import response

Resource = Literal["compute", "upload", "download"]
Record = list[tuple[Resource, int, int, float, float]]  # device, partition or tensor, start, end


def response_seconds(
    model: CostModel,
    device: Sequence[int],
    priority: Sequence[float],
    record: Record | None = None,
) -> float:
    """Return the seconds from the start of a frame to the end of the last partition.

    `device` and `priority` are (P,): an index into the devices, and a number, higher first.
    `record`, when given, takes every use of a resource, by start, then end.
    """
    a = arrays_of(model)
    b = bench_for(a)
    at = np.array(device, np.int64)
    seconds = response(a, b, at, np.array(priority, np.float64), math.inf)
    if record is not None:
        uses: Record = []
        for p, d in enumerate(device):
            start = float(b.started[p])
            uses.append(("compute", d, p, start, start + model.seconds[p][d]))
        for t, producer in enumerate(model.producer):
            start, d = float(b.sent[t]), device[producer]
            if start >= 0:
                uses.append(("upload", d, t, start, start + model.upload[t][d]))
        for edge, consumer in enumerate(a.consumer.tolist()):
            start, d, t = float(b.received[edge]), device[consumer], int(a.edge_tensor[edge])
            if start >= 0:
                uses.append(("download", d, t, start, start + model.download[t][d]))
        record += sorted(uses, key=lambda use: use[3:])
    return float(seconds)
