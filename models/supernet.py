"""Training the shared network of a space on genomes drawn from it, kept in one file.

The file holds the weights, what they were made for, and, until the last epoch is done, all that
going on needs; it is put in place at once after every epoch. Weights only: reading runs no code.
"""

import hashlib
import io
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from evolution.cost import NetworkShape
from evolution.genome import Genome, Space, Stage
from models.shared_network import SharedNetwork, summed
from models.training.loop import Progress, train_epoch
from models.training.loss import Criterion, criterion
from models.training.optimiser import optimiser_for
from models.training.schedule import Schedule
from models.training.statistics import set_normalisation
from pictures.labelled import Pictures


def train_supernet(
    space: Space,
    shape: NetworkShape,
    pictures: Pictures,
    schedule: Schedule,
    path: Path,
    *,
    progress: Callable[[Progress], None] = lambda _: None,
) -> None:
    """Train a space's shared network into the file `path`; go on where the file ends, if it exists.

    Every batch trains one genome, drawn from the space and brought to its canonical form, which is
    what is measured later. The loss is the cross-entropy of the whole sum; with several branches and
    `drop` above zero, half of it is that of a random subset of branches, rescaled as in
    `models.training`. A kill loses at most an epoch, and equal arguments (and torch threads) give
    equal files, however often it was killed. Raises ValueError naming the file when it was made for
    other arguments or cannot be read, OSError when it cannot be written.
    """
    made_for = {**described(space, shape, pictures), "schedule": repr(schedule)}
    random = torch.Generator().manual_seed(schedule.seed)
    genomes = np.random.default_rng(schedule.seed)
    network = seeded_shared_network(space, shape, schedule.seed)
    set_normalisation(network, pictures)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub
    optimiser = optimiser_for(network, schedule)
    done = 0
    if path.exists():
        state = read_state(path.read_bytes(), path, made_for)
        if "optimiser" not in state:
            return
        done = state["epoch"]
        network.load_state_dict(state["weights"])
        optimiser.load_state_dict(state["optimiser"])
        random.set_state(state["random"])
        genomes.bit_generator.state = json.loads(state["genomes"])
    pixels = torch.tensor(pictures.pixels)  # (N, C, H, W) bytes
    labels = torch.tensor(pictures.labels)  # (N,)
    cross_entropy = criterion(schedule, labels, shape.classes)
    for epoch in range(done, schedule.epochs):
        loss = train_epoch(
            network.normalise,
            lambda x: network.partial_logits(drawn_genome(space, genomes).canonical(), x),
            lambda partial, labels: _loss(
                partial,
                network.bias,
                labels,
                cross_entropy=cross_entropy,
                drop=schedule.drop,
                random=random,
            ),
            optimiser=optimiser,
            pictures=(pixels, labels),
            schedule=schedule,
            epoch=epoch,
            random=random,
        )
        state = {"made_for": made_for, "weights": network.state_dict()}
        if epoch + 1 < schedule.epochs:
            state |= {
                "epoch": epoch + 1,
                "optimiser": optimiser.state_dict(),
                "random": random.get_state(),
                "genomes": json.dumps(genomes.bit_generator.state),
            }
        _write(path, state)
        progress(Progress(epoch + 1, schedule.epochs, loss))


def drawn_genome(space: Space, random: np.random.Generator) -> Genome:
    """Draw a genome whose stages are as often sparse as dense: each has its own share of edges.

    Bits of Bernoulli(0.5) would hardly ever leave a stage of five nodes empty, so the weights would
    not know such stages, and measure them as far worse than they are.
    """
    genome = space.random(random)
    return replace(
        genome,
        branches=tuple(
            tuple(_drawn_stage(len(stage.bits), random) for stage in branch)
            for branch in genome.branches
        ),
    )


def _drawn_stage(bits: int, random: np.random.Generator) -> Stage:
    edges = random.random(bits) < random.random()
    return Stage.from_bits("".join("01"[int(edge)] for edge in edges))


def described(space: Space, shape: NetworkShape, pictures: Pictures) -> dict[str, str]:
    """Say what a shared network is made for: the pictures it learns must be no others."""
    pixels = hashlib.sha256(pictures.pixels.tobytes() + pictures.labels.tobytes())
    return {"space": repr(space), "shape": repr(shape), "pictures": pixels.hexdigest()}


def read_state(data: bytes, path: Path, made_for: dict[str, str]) -> dict[str, Any]:
    """Read a supernet's file; raises ValueError naming it when it is not one, or made for other things."""
    try:
        state: dict[str, Any] = torch.load(io.BytesIO(data), weights_only=True)
        found = state["made_for"]
    except Exception:  # noqa: BLE001 - torch raises a dozen kinds for bytes that are no file of its
        raise ValueError(f"{path}: is no supernet, or torn") from None
    for name, value in made_for.items():
        if found.get(name) != value:
            raise ValueError(f"{path}: {name}: this supernet was trained for another")
    return state


def seeded_shared_network(space: Space, shape: NetworkShape, seed: int) -> SharedNetwork:
    """Make a shared network whose first weights depend on the seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return SharedNetwork(space, shape)


def _loss(
    partial: Tensor,
    bias: Tensor,
    labels: Tensor,
    *,
    cross_entropy: Criterion,
    drop: float,
    random: torch.Generator,
) -> Tensor:
    """Partial logits (B, n, classes), labels (n,) -> half the whole's loss, half a subset's."""
    whole = cross_entropy(summed(partial.unbind(0)) + bias, labels)
    branches = len(partial)
    if branches == 1 or drop == 0:
        return whole
    kept = torch.rand(branches, generator=random) >= drop  # one subset for the whole batch
    kept[torch.randint(branches, (1,), generator=random)] = True
    subset = partial[kept].sum(0) * (branches / kept.sum()) + bias
    return (whole + cross_entropy(subset, labels)) / 2


def _write(path: Path, state: dict[str, Any]) -> None:
    """Put a file in place at once, so that a kill leaves the one before."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    unfinished = path.with_name(f"{path.name}.part")
    with unfinished.open("wb") as file:
        file.write(buffer.getvalue())
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
