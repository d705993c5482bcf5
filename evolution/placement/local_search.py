"""Local search: small moves on a plan, kept when the cost does not rise."""

from collections.abc import Callable

import numpy as np

from evolution.placement.plan import Cost, Plan

Uniforms = list[float]  # numbers in [0, 1) that decide one move
CHAIN = 4  # the longest chain moved at once


def refined(plan: Plan, cost: Cost, steps: int, rng: np.random.Generator) -> tuple[Plan, float]:
    """Return the plan after `steps` moves (each one evaluation), and its cost.

    Moves that would exceed memory or change nothing are drawn again, a few times.
    """
    state = _Neighbourhood(plan, cost)
    best = cost(state.device, state.priority)
    for uniforms in rng.random((steps, 5)).tolist():
        devices, priorities = state.move(uniforms)
        if not devices and not priorities:
            continue
        old_devices = {p: state.device[p] for p in devices}
        old_priorities = {p: state.priority[p] for p in priorities}
        if not state.apply(devices, priorities):
            continue
        value = cost(state.device, state.priority, best)
        if value <= best:
            best = value
        else:
            state.apply(old_devices, old_priorities)
    return Plan(tuple(state.device), tuple(state.priority)), best


class _Neighbourhood:
    """A plan being changed, with the room that it leaves."""

    def __init__(self, plan: Plan, cost: Cost) -> None:
        self.model = model = cost.model
        self.device = list(plan.device)
        self.priority = list(plan.priority)
        self.room = model.room(self.device)
        self.free = [p for p, choices in enumerate(model.choices) if len(choices) > 1]
        self.successors = [
            [consumer for tensor in outputs for consumer in model.consumers[tensor]]
            for outputs in model.outputs
        ]
        self.neighbours = [
            [model.producer[tensor] for tensor in inputs] + successors
            for inputs, successors in zip(model.inputs, self.successors, strict=True)
        ]
        self.moves: tuple[Callable[[int, Uniforms], dict[int, int]], ...] = (
            self._elsewhere,
            self._join,
            self._chain,
            self._swap,
        )

    def move(self, u: Uniforms) -> tuple[dict[int, int], dict[int, float]]:
        """Return new devices and new priorities of a few partitions; empty when nothing changes."""
        choice = int(u[0] * (len(self.moves) + 1))
        if choice == len(self.moves) or not self.free:
            return {}, self._priority(u)
        devices = self.moves[choice](self.free[int(u[1] * len(self.free))], u)
        changed = {p: d for p, d in devices.items() if self.device[p] != d}
        allowed = all(d in self.model.choices[p] for p, d in changed.items())
        return (changed if allowed else {}), {}

    def apply(self, devices: dict[int, int], priorities: dict[int, float]) -> bool:
        """Change the plan; without effect and False when memory would be exceeded."""
        memory = self.model.memory
        for p, d in devices.items():
            self.room[self.device[p]] += memory[p]
            self.room[d] -= memory[p]
        if devices and any(self.room[d] < 0 for d in devices.values()):
            for p, d in devices.items():
                self.room[self.device[p]] -= memory[p]
                self.room[d] += memory[p]
            return False
        for p, d in devices.items():
            self.device[p] = d
        for p, value in priorities.items():
            self.priority[p] = value
        return True

    def _elsewhere(self, p: int, u: Uniforms) -> dict[int, int]:
        """Move one partition to any other device."""
        others = [d for d in self.model.choices[p] if d != self.device[p]]
        return {p: others[int(u[2] * len(others))]}

    def _join(self, p: int, u: Uniforms) -> dict[int, int]:
        """Move a partition to where a producer or consumer of it is."""
        neighbours = self.neighbours[p]
        return {p: self.device[neighbours[int(u[2] * len(neighbours))]]} if neighbours else {}

    def _chain(self, p: int, u: Uniforms) -> dict[int, int]:
        """Move a partition and some that follow it to one device."""
        choices = self.model.choices[p]
        target = choices[int(u[2] * len(choices))]
        moved = {p: target}
        draw = u[3]
        for _ in range(1 + int(u[4] * (CHAIN - 1))):
            following = [s for s in self.successors[p] if target in self.model.choices[s]]
            if not following:
                break
            draw *= len(following)
            p = following[int(draw)]
            draw -= int(draw)
            moved[p] = target
        return moved

    def _swap(self, p: int, u: Uniforms) -> dict[int, int]:
        """Let two partitions change places."""
        other = self.free[int(u[2] * len(self.free))]
        return {p: self.device[other], other: self.device[p]}

    def _priority(self, u: Uniforms) -> dict[int, float]:
        """Exchange the priorities of two partitions of one device."""
        p = int(u[1] * len(self.device))
        beside = [q for q, d in enumerate(self.device) if d == self.device[p] and q != p]
        if not beside:
            return {}
        other = beside[int(u[2] * len(beside))]
        if self.priority[p] == self.priority[other]:
            return {}
        return {p: self.priority[other], other: self.priority[p]}
