"""The response that is predicted from a genome alone, and the inventory it is predicted for."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coordinator.files import FileError
from coordinator.fog.layout_request import LayoutRequest, placement_problem
from coordinator.search.devices import ASSUMED_MACS_PER_S, FogDevice, read_inventory
from coordinator.search.response import NO_ROOM_FACTOR, PredictedResponse, planned_partitions
from evolution.cost import NetworkShape, partition_macs
from evolution.genome import Genome, Space
from evolution.placement.cost_model import CostModel
from evolution.placement.exhaustive import is_small
from evolution.placement.genetic import place
from models.cnn import BranchedCNN
from models.export import export
from models.winner import describe
from tests.coordinator.fog.toys import info
from tests.coordinator.search.toys import DEVICES

SHAPE = NetworkShape(classes=10, input=(1, 28, 28), channels=((4, 8), (8, 16)))
SPACE = Space((3, 4), branches=2, exchange=True, widths=2)
DENSE = Genome.parse("1-11|1-11-111 / 1-11|1-11-111")


def devices(count: int = 4, macs_per_s: float = 1e8, memory: float = 1e8) -> list[FogDevice]:
    return [FogDevice(f"pi-{n}", memory, 1e7, 1e7, 1e-3, macs_per_s) for n in range(count)]


def test_it_is_the_problem_that_the_bundle_will_pose() -> None:
    genome = SPACE.random(np.random.default_rng(4))
    model = BranchedCNN(genome, SHAPE)
    bundle = describe(model, export(model), tuple("0123456789"), (0.9, 0.8), "toy")
    live = placement_problem(LayoutRequest(bundle, {name: info(name, speed=1e9) for name in "ab"}))
    links = {"uplink_bytes_per_s": 1e8, "downlink_bytes_per_s": 1e8, "latency_s": 1e-4}
    planned = PredictedResponse(
        [FogDevice(name, 1e6, macs_per_s=1e9, **links) for name in "ab"], SHAPE
    ).problem(genome)
    assert planned.tensors == live.tensors
    assert planned.pinned == live.pinned
    assert [part.id for part in planned.partitions] == [part.id for part in live.partitions]
    for ours, theirs in zip(planned.partitions, live.partitions, strict=True):
        assert ours.seconds == theirs.seconds
        assert theirs.memory_bytes <= ours.memory_bytes <= 1.5 * theirs.memory_bytes


def test_partitions_have_the_macs_of_their_stage() -> None:
    planned = {part.id: part.macs for part in planned_partitions(DENSE, SHAPE)}
    macs = partition_macs(DENSE, SHAPE)
    assert planned["branch1-stage0"] == macs[1, 0]
    assert planned["fusion"] == 0


def test_faster_devices_answer_sooner_and_branches_use_more_than_one() -> None:
    slow = PredictedResponse(devices(1), SHAPE)(DENSE)
    assert PredictedResponse(devices(1, macs_per_s=1e9), SHAPE)(DENSE) < slow
    assert PredictedResponse(devices(2), SHAPE)(DENSE) < 0.8 * slow


@given(st.integers(0, 1000))
@settings(max_examples=10)
def test_isomorphic_genomes_answer_alike_in_every_process(seed: int) -> None:
    genome = SPACE.random(np.random.default_rng(seed))
    first, second = (PredictedResponse(devices(3), SHAPE) for _ in range(2))
    assert first(genome) == second(genome.canonical())


def test_the_quick_placement_is_the_optimum_on_small_problems() -> None:
    predicted = PredictedResponse(devices(3), SHAPE)
    for seed in range(3):
        problem = predicted.problem(SPACE.random(np.random.default_rng(seed)).canonical())
        assert is_small(CostModel(problem))
        genome = SPACE.random(np.random.default_rng(seed))
        assert predicted(genome) == pytest.approx(place(problem).response_s)


def test_a_network_without_room_counts_as_much_slower() -> None:
    tight = PredictedResponse(devices(2, memory=1e6), SHAPE)
    assert not tight.fits(DENSE)
    assert PredictedResponse(devices(2), SHAPE).fits(DENSE)
    roomy = PredictedResponse(devices(2), SHAPE)(DENSE)
    assert tight(DENSE) == pytest.approx(NO_ROOM_FACTOR * roomy)


def test_an_inventory_is_read_from_a_placement_problem_too(tmp_path: Path) -> None:
    path = tmp_path / "fog.json"
    plain = {name: value for name, value in DEVICES[0].items() if name != "macs_per_s"}
    path.write_text(json.dumps({"devices": [plain, DEVICES[1]], "partitions": []}))
    first, second = read_inventory(path)
    assert first.macs_per_s == ASSUMED_MACS_PER_S
    assert second.macs_per_s == 1e8


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ([], "JSON object"),
        ({}, "devices"),
        ({"devices": []}, "empty"),
        ({"devices": [DEVICES[0], DEVICES[0]]}, "twice"),
        ({"devices": [{**DEVICES[0], "latency_s": -1}]}, r"devices\.pi-0\.latency_s"),
        ({"devices": [{**DEVICES[0], "macs_per_s": 0}]}, r"devices\.pi-0\.macs_per_s"),
        ({"devices": [{"id": "pi-0"}]}, r"devices\.pi-0\.memory_bytes"),
    ],
)
def test_a_wrong_inventory_names_file_and_field(
    tmp_path: Path, content: object, named: str
) -> None:
    path = tmp_path / "fog.json"
    path.write_text(json.dumps(content))
    with pytest.raises(FileError, match=rf"fog\.json: .*{named}"):
        read_inventory(path)
