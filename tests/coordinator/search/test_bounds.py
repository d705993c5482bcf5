"""What no machine finishes is refused by the search file alone; what would not fit into this one, too."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from coordinator.files import FileError, read_config
from coordinator.search import memory
from coordinator.search.bounds import check_network
from coordinator.search.config import SearchConfig
from coordinator.search.memory import available_bytes, check_memory, training_bytes
from coordinator.search.setup import prepare
from evolution.cost import NetworkShape
from evolution.genome import Genome

GOOD: dict[str, Any] = {
    "dataset": "mnist",
    "space": {"nodes": [3, 3], "branches": 4},
    "network": {"channels": [[8, 16]]},
    "winner": {"phases": [[1, 0.01]]},
    "workers": 2,
}
MNIST = NetworkShape(classes=10, input=(1, 28, 28), channels=((8, 16),))


def read(folder: Path, **changes: Any) -> SearchConfig:
    path = folder / "search.yaml"
    path.write_text(yaml.safe_dump({**GOOD, **changes}))
    return read_config(path, SearchConfig)


def schedule(**changes: Any) -> dict[str, Any]:
    return {"phases": [[1, 0.01]], **changes}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"space": {"nodes": [3], "branches": 100_000}}, "space: branches: 100,000 .* 16"),
        ({"space": {"nodes": [3, 3], "branches": 8, "exchange": True}}, "branches: 8 .* 7"),
        ({"space": {"nodes": [99, 3]}}, "space: nodes: a stage of 99 nodes, and 12"),
        ({"space": {"nodes": [2] * 99}}, "space: nodes: 99 stages, and 10"),
        ({"space": {"nodes": [2, 2], "widths": 10**9}}, "space.widths: 1,000,000,000, and 64"),
        ({"space": {"nodes": [2, 2], "widths": 2}}, "network.channels: 1 rows, .* asks for 2"),
        ({"space": {"nodes": [2]}}, "network.channels: for 2 stages, and space.nodes has 1"),
        ({"network": {"channels": [[8, 8_000_000]]}}, "network.channels: 8,000,000, and 4,096"),
        ({"network": {"channels": [[8, 10**30]]}}, r"network.channels: 1e\+30, and 4,096"),
        ({"network": {"channels": [[8, 16]], "kernel": 999}}, "network.kernel: 999, and 31"),
        ({"algorithm": {"population": 10**9}}, "algorithm.population: 1,000,000,000"),
        ({"algorithm": {"generations": 10**9}}, "algorithm.generations"),
        ({"algorithm": {"population": 9000, "generations": 9000}}, "population . .* 81,009,000"),
        ({"screening": 10**6}, "screening: 1,000,000, and 1,024"),
        ({"training": schedule(phases=[[10**9, 0.01]])}, "training.phases: epochs: 1,000,000,000"),
        ({"winner": schedule(phases=[[1, 1e30]])}, r"winner.phases: rate: 1e\+30, and 100"),
        ({"supernet": schedule(batch=10**9)}, "supernet.batch: 1,000,000,000, and 65,536"),
        ({"training": schedule(shift=10**5)}, "training.shift: 100,000, and 1,024"),
        ({"training": schedule(weight_decay=1e300)}, "training.weight_decay"),
        ({"training": schedule(seed=-1)}, "training.seed: -1"),
        ({"seed": 2**63}, "seed: 9,223,372,036,854,775,808"),
        ({"fitness": {"complexity": 1e308}}, "fitness.complexity"),
        (
            {"pictures": 1, "evaluator": "supernet"},
            "pictures: 1, and batch normalisation needs two",
        ),
        ({"dataset": ""}, "dataset: "),
        ({"dataset": "a\0b"}, "dataset: "),
    ],
)
def test_what_no_machine_finishes_is_refused_by_the_file_alone(
    tmp_path: Path, changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(FileError, match=f"search.yaml: .*{says}"):
        read(tmp_path, **changes)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"space": {"nodes": [2] * 6}, "network": {"channels": [[2] * 6]}},
            "space.nodes: 6 stages, and pictures of 28x28 can be halved 4 times",
        ),
        (
            {"network": {"channels": [[4096, 4096]]}},
            "the largest network has 5,4.* parameters, and 50,000,000",
        ),
        (
            {"space": {"nodes": [3, 3]}, "network": {"channels": [[900, 9]]}},
            "takes 22,.* MACs on pictures of 28x28x1, and 20,",
        ),
    ],
)
def test_what_pictures_of_a_known_size_do_not_bear_is_refused_before_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], says: str
) -> None:
    def never(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("coordinator.search.input.InputConfig.load", never)
    with pytest.raises(ValueError, match=says):
        prepare(read(tmp_path, **changes))


def test_the_largest_network_of_the_examples_is_far_from_the_bounds() -> None:
    for path in Path("examples").glob("search-*.yaml"):
        config = read_config(path, SearchConfig)
        check_network(config, config.shape_of((1, 28, 28), 10))


@pytest.mark.parametrize("evaluator", ["training", "supernet"])
def test_a_search_that_does_not_fit_says_what_it_takes_and_what_would_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, evaluator: str
) -> None:
    config = read(tmp_path, evaluator=evaluator)
    for free, says in (
        (1_200_000_000, None),
        (500_000_000, "workers, .* 2 processes of up to 0.[34] GB each, and 0.5 GB are free; .* 1 would"),
        (100_000_000, "0.1 GB are free"),
    ):  # fmt: skip
        monkeypatch.setattr(memory, "available_bytes", lambda free=free: free)
        if says is None:
            check_memory(config, MNIST)
        else:
            with pytest.raises(ValueError, match=says):
                check_memory(config, MNIST)


def test_batch_channels_and_branches_decide_how_much_training_takes() -> None:
    """Against what was measured: 2.5 GB beyond the process for a batch of 256 pictures."""
    genome = Genome.parse(" / ".join(["1-11|1-11"] * 4))
    shape = NetworkShape(classes=10, input=(1, 28, 28), channels=((32, 64),))
    took = training_bytes(genome, shape, 256) - memory.PROCESS_BYTES
    assert took == pytest.approx(2.54e9, rel=0.1)
    assert training_bytes(genome, shape, 16) < training_bytes(genome, shape, 32)


def test_a_container_may_have_less_than_its_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = available_bytes()
    assert before > 0
    monkeypatch.setattr(memory, "_CGROUP", tmp_path)
    for folder, limit, used, stat in (
        (tmp_path, "memory.max", "memory.current", "inactive_file 7"),
        (
            tmp_path / "memory",
            "memory.limit_in_bytes",
            "memory.usage_in_bytes",
            "total_inactive_file 7",
        ),
    ):
        folder.mkdir(exist_ok=True)
        (folder / limit).write_text("100\n")
        (folder / used).write_text("60\n")
        (folder / "memory.stat").write_text(f"anon 50\n{stat}\n")
        assert available_bytes() == 47
        (folder / limit).write_text("max\n" if limit == "memory.max" else f"{2**62}\n")
        assert available_bytes() > 47
