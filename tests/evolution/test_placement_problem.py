import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given

from evolution.placement.genetic import place
from evolution.placement.problem import FIELDS, PlacementProblem
from tests.evolution.strategies import problems

FILE: dict[str, Any] = {
    "devices": [
        {
            "id": name,
            "memory_bytes": 1000,
            "uplink_bytes_per_s": 1e6,
            "downlink_bytes_per_s": 2e6,
            "latency_s": 0.001,
        }
        for name in ("fog-a", "fog-b")
    ],
    "partitions": [
        {"id": "camera", "memory_bytes": 0, "seconds": {"fog-a": 0.0}},
        {"id": "branch", "memory_bytes": 600, "seconds": {"fog-a": 0.01, "fog-b": 0.02}},
        {"id": "fusion", "memory_bytes": 600, "seconds": {"fog-a": 0.01, "fog-b": 0.02}},
    ],
    "tensors": [
        {"id": "frame", "bytes": 784, "producer": "camera", "consumers": ["branch"]},
        {"id": "logits", "bytes": 40, "producer": "branch", "consumers": ["fusion"]},
    ],
    "pinned": {"camera": "fog-a"},
    "allowed": {"fusion": ["fog-b"]},
}


def test_a_file_is_read_and_written_back() -> None:
    problem = PlacementProblem.from_json(FILE)
    assert problem.as_json() == FILE
    assert problem.order == ("camera", "branch", "fusion")
    assert [[d.id for d in problem.choices(p)] for p in problem.partitions] == [
        ["fog-a"],
        ["fog-a", "fog-b"],
        ["fog-b"],
    ]


def test_the_fields_of_energy_are_read_and_written_back() -> None:
    file = copy.deepcopy(FILE) | {"energy_budget_j": 0.5}
    for device in file["devices"]:
        device |= {"joules_per_mac": 1e-9, "joules_per_byte": 0.0}
    for partition in file["partitions"]:
        partition["macs"] = 1e6
    problem = PlacementProblem.from_json(file)
    assert problem.as_json() == file
    assert problem.counts_energy
    assert not PlacementProblem.from_json(FILE).counts_energy


def test_what_a_device_holds_already_is_read_and_written_back_and_needs_no_more_memory() -> None:
    file = copy.deepcopy(FILE)
    file["partitions"][1]["held"] = ["fog-b"]
    problem = PlacementProblem.from_json(file)
    assert problem.as_json() == file
    assert [problem.partitions[1].memory_on(d) for d in ("fog-a", "fog-b")] == [600, 0]
    file["devices"][0]["memory_bytes"], file["devices"][1]["memory_bytes"] = 0, 600
    found = place(PlacementProblem.from_json(file), budget=10)
    assert (found.placement["branch"], found.placement["fusion"]) == ("fog-b", "fog-b")
    del file["partitions"][1]["held"]
    with pytest.raises(ValueError, match="600 bytes are missing"):
        place(PlacementProblem.from_json(file), budget=10)


def test_energy_is_counted_only_with_all_its_figures() -> None:
    file = copy.deepcopy(FILE) | {"energy_budget_j": 0.5}
    for device in file["devices"]:
        device |= {"joules_per_mac": 1e-9, "joules_per_byte": 0.0}
    with pytest.raises(
        ValueError, match=r"\Apartitions\.camera\.macs: is missing, and energy_budge"
    ):
        PlacementProblem.from_json(file)


def test_pinned_and_allowed_are_optional() -> None:
    without = {key: FILE[key] for key in ("devices", "partitions", "tensors")}
    assert PlacementProblem.from_json(without).pinned == {}


@given(problems())
def test_every_problem_survives_json(problem: PlacementProblem) -> None:
    assert PlacementProblem.from_json(json.loads(json.dumps(problem.as_json()))) == problem


def put(*path: Any, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(file: Any) -> None:
        for key in path[:-1]:
            file = file[key]
        file[path[-1]] = value

    return change


def remove(*path: Any) -> Callable[[dict[str, Any]], None]:
    def change(file: Any) -> None:
        for key in path[:-1]:
            file = file[key]
        del file[path[-1]]

    return change


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (put("devices", value=[]), "devices: the fleet is empty."),
        (put("devices", 1, "id", value="fog-a"), "devices: the id 'fog-a' is there twice."),
        (put("devices", 1, "id", value=""), "devices.id: '' is not a name."),
        (remove("devices"), "devices: is missing, or not a list."),
        (
            put("devices", 0, "joules_per_mac", value=-1e-9),
            "devices.fog-a.joules_per_mac: -1e-09 is not a finite number that is not negative.",
        ),
        (
            put("devices", 1, "joules_per_byte", value="little"),
            "devices.fog-b.joules_per_byte: 'little' is not a number.",
        ),
        (
            put("partitions", 1, "macs", value=float("inf")),
            "partitions.branch.macs: inf is not a finite number that is not negative.",
        ),
        (
            put("energy_budget_j", value=1),
            "devices.fog-a.joules_per_mac: is missing, and energy_budget_j needs it.",
        ),
        (put("energy_budget_j", value="low"), "energy_budget_j: 'low' is not a number."),
        (remove("tensors"), "tensors: is missing, or not a list."),
        (put("devices", 0, value=3), "devices[0]: is not an object."),
        (remove("devices", 0, "latency_s"), "devices.fog-a.latency_s: is missing."),
        (
            put("devices", 0, "latency_s", value=-1),
            "devices.fog-a.latency_s: -1 is not a finite number that is not negative.",
        ),
        (
            put("devices", 0, "uplink_bytes_per_s", value=0),
            "devices.fog-a.uplink_bytes_per_s: 0 is not a finite number that is above zero.",
        ),
        (
            put("devices", 0, "latency_s", value=1e308),
            "devices.fog-a.latency_s: 1e+308 is out of range, which is 0 to 1e+09.",
        ),
        (
            put("devices", 0, "downlink_bytes_per_s", value=1e-308),
            "devices.fog-a.downlink_bytes_per_s: 1e-308 is out of range, which is 1e-06 to 1e+15.",
        ),
        (
            put("tensors", 0, "bytes", value=10**400),
            f"tensors.frame.bytes: 1{'0' * 78}… is out of range, which is 0 to 9.0072e+15.",
        ),
        (
            put("partitions", 1, "seconds", "fog-a", value=1e10),
            "partitions.branch.seconds.fog-a: 10000000000.0 is out of range, which is 0 to 1e+09.",
        ),
        (put("devices", 0, "id", value="x" * 257), f"devices.id: '{'x' * 78}… is not a name."),
        (
            put("devices", 0, "joule_per_mac", value=1e-9),
            "devices.fog-a.joule_per_mac: no such field; did you mean joules_per_mac?",
        ),
        (
            put("pined", value={}),
            f"pined: no such field; did you mean pinned? there are {', '.join(FIELDS)}.",
        ),
        (
            put("tensors", value=[{}] * 10_001),
            "tensors: there are 10,001, and 10,000 at most.",
        ),
        (
            put("devices", 0, "memory_bytes", value="1 GB"),
            "devices.fog-a.memory_bytes: '1 GB' is not a number.",
        ),
        (put("partitions", value=[]), "partitions: there is nothing to place."),
        (
            put("partitions", 1, "id", value="fusion"),
            "partitions: the id 'fusion' is there twice.",
        ),
        (
            put("partitions", 1, "seconds", value={}),
            "partitions.branch.seconds: needs the seconds on at least one device.",
        ),
        (
            put("partitions", 1, "seconds", "fog-a", value=float("nan")),
            "partitions.branch.seconds.fog-a: nan is not a finite number that is not negative.",
        ),
        (
            put("partitions", 1, "seconds", "fog-c", value=1),
            "partitions.branch.seconds: there is no device 'fog-c'.",
        ),
        (
            put("partitions", 1, "memory_bytes", value=1250),
            "partitions.branch.memory_bytes: no device has enough memory, 250 bytes are missing.",
        ),
        (
            put("partitions", 1, "held", value=["fog-z"]),
            "partitions.branch.held: there is no device 'fog-z'.",
        ),
        (
            put("partitions", 1, "held", value="fog-a"),
            "partitions.branch.held: is not a list of ids.",
        ),
        (
            put("tensors", 0, "producer", value=None),
            "tensors.frame.producer: is missing, so its consumers would wait for ever.",
        ),
        (remove("tensors", 0, "producer"), "tensors.frame.producer: is missing."),
        (
            put("tensors", 0, "producer", value="lens"),
            "tensors.frame.producer: there is no partition 'lens'.",
        ),
        (
            put("tensors", 0, "consumers", value=["branch", "screen"]),
            "tensors.frame.consumers: there is no partition 'screen'.",
        ),
        (
            put("tensors", 0, "consumers", value="branch"),
            "tensors.frame.consumers: is not a list of ids.",
        ),
        (
            put("tensors", 0, "consumers", value=["branch", "branch"]),
            "tensors.frame.consumers: names a partition twice.",
        ),
        (put("tensors", 1, "id", value="frame"), "tensors: the id 'frame' is there twice."),
        (
            put("tensors", 1, "consumers", value=["branch"]),
            "tensors: the partitions form a cycle: branch -> branch.",
        ),
        (put("pinned", value={"lens": "fog-a"}), "pinned: there is no partition 'lens'."),
        (put("pinned", value=["fog-a"]), "pinned: is not an object."),
        (put("pinned", "camera", value="fog-z"), "pinned.camera: there is no device 'fog-z'."),
        (
            put("pinned", "camera", value="fog-b"),
            "partitions.camera.seconds: names no device on which it is pinned or allowed.",
        ),
        (put("allowed", value={"lens": []}), "allowed: there is no partition 'lens'."),
        (
            put("allowed", "fusion", value=["fog-z"]),
            "allowed.fusion: there is no device 'fog-z'.",
        ),
        (
            put("pinned", value={"branch": "fog-b", "fusion": "fog-b"}),
            "partitions.fusion.memory_bytes: no device has enough memory, 200 bytes are missing.",
        ),
    ],
)
def test_a_bad_file_is_answered_with_one_line_that_names_the_field(
    change: Callable[[dict[str, Any]], None], line: str
) -> None:
    file = copy.deepcopy(FILE)
    change(file)
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - the whole line is compared
        PlacementProblem.from_json(file)
    assert str(raised.value) == line


def test_a_longer_cycle_is_shown() -> None:
    file = copy.deepcopy(FILE)
    file["tensors"].append(
        {"id": "back", "bytes": 1, "producer": "fusion", "consumers": ["camera"]}
    )
    turns = (
        "branch -> fusion -> camera",
        "fusion -> camera -> branch",
        "camera -> branch -> fusion",
    )
    with pytest.raises(ValueError, match="cycle: (" + "|".join(turns) + ")"):
        PlacementProblem.from_json(file)


def test_what_is_not_an_object_is_refused() -> None:
    with pytest.raises(ValueError, match="problem: is not a JSON object"):
        PlacementProblem.from_json([])
