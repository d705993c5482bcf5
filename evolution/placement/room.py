"""Memory: where partitions fit, and how a plan that exceeds it is repaired."""

from collections.abc import Sequence

from evolution.placement.cost_model import CostModel

LARGEST_SEARCH = 100_000  # positions tried before packing is given up
NEAR = 1000  # positions tried to pack partitions near where they were


def fitting(model: CostModel, device: Sequence[int]) -> list[int]:
    """Return a plan that keeps to memory, near the given one if that is soon found.

    Raises ValueError when nothing fits.
    """
    plan = repaired(model, device)
    if plan is None:
        try:
            plan = packed(model, device, NEAR)
        except ValueError:
            plan = packed(model)
    return plan


def repaired(model: CostModel, device: Sequence[int]) -> list[int] | None:
    """Move partitions from devices that are too full to where they cost the fewest seconds.

    The largest go first. None when this simple way finds no room.
    """
    plan = list(device)
    room = model.room(plan)
    if min(room) >= 0:
        return plan
    for partition in sorted(range(len(plan)), key=lambda p: (-model.needs[p], p)):
        home, memory = plan[partition], model.memory[partition]
        if room[home] >= 0 or memory[home] == 0:
            continue
        targets = [d for d in model.choices[partition] if room[d] >= memory[d]]
        if targets:
            best = min(targets, key=lambda d: model.seconds[partition][d])
            room[home] += memory[home]
            room[best] -= memory[best]
            plan[partition] = best
    return plan if min(room) >= 0 else None


def packed(
    model: CostModel, wanted: Sequence[int] | None = None, most: int = LARGEST_SEARCH
) -> list[int]:
    """Return a plan that fits, found by trying the largest partitions first, with backtracking.

    Each partition is tried first where it is `wanted`. At most so many positions are looked at.
    Raises ValueError naming the first partition that does not fit, and the bytes missing for it.
    """
    largest = sorted(
        range(len(model.needs)), key=lambda p: (len(model.choices[p]) > 1, -model.needs[p], p)
    )
    plan = [-1] * len(largest)
    room = list(model.capacity)
    tried = 0
    deepest, missing = -1, 0.0  # where the search got stuck latest
    depth, stack = 0, [iter(_roomiest(model, largest[0], room, wanted))]
    while stack:
        partition = largest[depth]
        if plan[partition] >= 0:
            room[plan[partition]] += model.memory[partition][plan[partition]]
            plan[partition] = -1
        tried += 1
        target = next(stack[-1], None) if tried <= most else None
        if target is None:
            if depth > deepest:
                memory = model.memory[partition]
                deepest = depth
                missing = min(memory[d] - room[d] for d in model.choices[partition])
            stack.pop()
            depth -= 1
            continue
        plan[partition] = target
        room[target] -= model.memory[partition][target]
        depth += 1
        if depth == len(largest):
            return plan
        stack.append(iter(_roomiest(model, largest[depth], room, wanted)))
    name = model.partition_ids[largest[deepest]]
    raise ValueError(
        f"partitions.{name}.memory_bytes: no device has enough memory beside the other partitions,"
        f" {missing:.0f} bytes are missing."
    )


def _roomiest(
    model: CostModel, partition: int, room: Sequence[float], wanted: Sequence[int] | None
) -> list[int]:
    """List the devices that take a partition now, the wanted one first, then by room."""
    fitting = [d for d in model.choices[partition] if room[d] >= model.memory[partition][d]]
    first = wanted[partition] if wanted else -1
    return sorted(fitting, key=lambda d: (d != first, -room[d]))
