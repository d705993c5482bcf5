"""Each file that commands read, with one value replaced: it is taken, or refused in one line."""

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker.access.join_file import JoinFile
from broker.closed.dynamic_security import UnknownDocumentError, users_of, without_users
from broker.files.strict_json import read_json
from broker.files.text import FileError
from coordinator.search.bounds import check_network
from coordinator.search.config import read_search
from coordinator.search.devices import read_inventory
from coordinator.search.run_folder import read_result
from coordinator.search.scoring import Scoring
from evolution.placement.genetic import place
from evolution.placement.problem import PlacementProblem
from models.bundle import BundleError, read_bundle

DEVICES = json.loads(Path("examples/devices-4pi.json").read_text())
PI, OTHER = (device["id"] for device in DEVICES["devices"][:2])
PROBLEM = {
    "devices": [{**device, "joules_per_byte": 1e-8, "joules_per_mac": 1e-9} for device in DEVICES["devices"][:2]],
    "partitions": [
        {"id": "camera", "memory_bytes": 0, "macs": 0, "seconds": {PI: 0}},
        {"id": "branch", "memory_bytes": 9, "macs": 9, "seconds": {PI: 1, OTHER: 2}, "held": [PI]},
    ],
    "tensors": [{"id": "frame", "bytes": 9, "producer": "camera", "consumers": ["branch"]}],
    "pinned": {"camera": PI},
    "allowed": {"branch": [PI, OTHER]},
    "energy_budget_j": 1000,
}  # fmt: skip
SCHEDULE = {"phases": [[1, 0.01]], "curve": "one-cycle", "batch": 8, "shift": 1, "seed": 1}
SEARCH = {
    "dataset": "mnist",
    "seed": 1,
    "space": {"nodes": [3, 2], "branches": 2, "widths": 2},
    "network": {"channels": [[2, 4], [4, 8]], "kernel": 3},
    "algorithm": {"population": 4, "generations": 2, "p_m": 0.5, "elitism": 0},
    "fitness": {"complexity": 0.1, "branch_budget": 10**9},
    "devices": DEVICES["devices"],
    "response": {"budget_s": 9.0, "weight": 0.1},
    "training": SCHEDULE,
    "winner": SCHEDULE,
    "pictures": 24,
    "validation": 16,
    "workers": 1,
}
JOIN = {
    "format": 1, "role": "node", "id": "pi", "site": "home", "broker": "mqtts://hub:8883",
    "user": "node/pi", "password": "secret", "ca": "pem", "operator_key": "0" * 64,
}  # fmt: skip
USERS = {"clients": [{"username": "node/pi"}], "roles": [{"rolename": "node/pi", "acls": []}]}
RESULT = {"best": {"genome": "1|1", "fitness": 0.5}, "evaluations": 4}
HOSTILE: tuple[Any, ...] = (
    None, True, "", "x" * 100_000, "\x1b[31m:cat:", "a/../b", -1, 0, 5e-324, 1e308, -1e308, 10**18,
    10**400, [], {}, [None], ["a", "a"], [[[[1]]]], {"a": {"b": 1}},
)  # fmt: skip


def problem(path: Path) -> None:
    place(PlacementProblem.from_json(read_json(path)), "throughput", budget=1)


def search(path: Path) -> None:
    config = read_search(path)
    shape = config.shape_of((1, 28, 28), 10)
    check_network(config, shape)
    Scoring.of(config, shape)


def join(path: Path) -> None:
    path.chmod(0o600)
    JoinFile.read(path)


def users(path: Path) -> None:
    document = read_json(path)
    if isinstance(document, dict):
        users_of(document)
        without_users(document, ["node/pi"])


def result(path: Path) -> None:
    read_result(path.parent)


def bundle(path: Path) -> None:
    read_bundle(path.parent)


BUNDLE = {"name": "a", "version": "b", "classes": ["c", "d"], "partitions": [], "tensors": []}
FILES: dict[str, tuple[Any, Callable[[Path], None]]] = {
    "problem.json": (PROBLEM, problem),
    "inventory.json": (DEVICES, lambda path: void(read_inventory(path))),
    "search.yaml": (SEARCH, search),
    "node.join": (JOIN, join),
    "dynamic-security.json": (USERS, users),
    "result.json": (RESULT, result),
    "bundle.json": (BUNDLE, bundle),
}
REFUSALS = (FileError, BundleError, UnknownDocumentError, ValueError)


def void(_: object) -> None:
    pass


def places(value: Any, way: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the way to everything in a value, itself included."""
    yield way
    if isinstance(value, dict | list):
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(each, (*way, key))


def with_another(value: Any, way: tuple[str | int, ...], other: Any) -> Any:
    if not way:
        return other
    changed = copy.deepcopy(value)
    inner = changed
    for key in way[:-1]:
        inner = inner[key]
    inner[way[-1]] = other
    return changed


@pytest.mark.parametrize("name", FILES)
def test_the_file_is_good_as_it_is(tmp_path: Path, name: str) -> None:
    good, read = FILES[name]
    written(tmp_path / name, good)
    if name != "bundle.json":
        read(tmp_path / name)


@pytest.mark.parametrize("name", FILES)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_stands_in_it_is_taken_or_refused_in_one_line(
    tmp_path: Path, name: str, data: st.DataObject
) -> None:
    good, read = FILES[name]
    way = data.draw(st.sampled_from(list(places(good))))
    written(tmp_path / name, with_another(good, way, data.draw(st.sampled_from(HOSTILE))))
    said = ""
    try:
        read(tmp_path / name)
    except REFUSALS as error:
        said = str(error)
    assert "\n" not in said
    assert len(said) < 2000


def written(path: Path, value: Any) -> None:
    path.write_text(yaml.safe_dump(value) if path.suffix == ".yaml" else json.dumps(value))
