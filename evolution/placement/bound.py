"""Lower bounds that no placement beats, so that a person sees how much could still be gained."""

from evolution.placement.cost_model import CostModel


def critical_path(model: CostModel) -> float:
    """Return the longest chain in seconds, each partition on the device that suits its chain best.

    Earliest end of partition p on device d = seconds[p][d] + the latest input, where each input
    comes from d itself or from the best device for sending it: transfers count, queues do not.
    """
    devices = range(len(model.device_ids))
    earliest: list[list[float]] = [[] for _ in model.seconds]  # (P, D)
    for partition in model.order:
        start = [0.0] * len(devices)
        for tensor in model.inputs[partition]:
            local = earliest[model.producer[tensor]]
            at_broker = min(local[d] + model.upload[tensor][d] + model.latency[d] for d in devices)
            for d in devices:
                sent = at_broker + model.download[tensor][d] + model.latency[d]
                start[d] = max(start[d], min(local[d], sent))
        earliest[partition] = [start[d] + model.seconds[partition][d] for d in devices]
    return max(min(ends) for ends in earliest)


def busiest_resource(model: CostModel) -> float:
    """Return the least seconds per frame of the busiest processor.

    It computes at least the longest partition, the mean over the devices, and what has no choice.
    """
    least = [min(seconds) for seconds in model.seconds]
    bound = max(*least, sum(least) / len(model.device_ids))
    for d in range(len(model.device_ids)):
        fixed = [i for i, choices in enumerate(model.choices) if choices == [d]]
        bound = max(bound, sum(least[partition] for partition in fixed))
    return bound


def lower_bound(model: CostModel, objective: str) -> float:
    """Return the bound in seconds on the response time, or for throughput on seconds per frame."""
    busiest = busiest_resource(model)
    return max(critical_path(model), busiest) if objective == "response" else busiest
