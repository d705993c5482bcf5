"""What `learn` decides, where it puts it, and what it calls it."""

from pathlib import Path

import pytest
import yaml

from coordinator.files import FileError
from coordinator.inspect.wanted import wanted
from coordinator.learn.decisions import decide, settings, trained_for
from coordinator.learn.destination import Destination
from coordinator.learn.names import bundle_name
from coordinator.search.config import SearchConfig, read_search
from coordinator.search.input import InputConfig
from models.default_network import default_network
from models.training import Schedule

WINNER = Schedule(phases=((50, 5e-3),), curve="one-cycle", patience=25, light=0.5, batch=16)


def decided(dataset: str, seed: int = 3) -> SearchConfig:
    return decide(
        dataset,
        InputConfig(crop=(0.25, 0.0, 0.5, 1.0)),
        seed,
        networks=default_network((3, 72, 96), 2),
        candidate=trained_for(WINNER, 10),
        winner=WINNER,
    )


def test_a_decision_follows_from_its_arguments_alone() -> None:
    found = decided("/pictures/bin")
    assert found == decided("/pictures/bin")
    assert (found.seed, found.training.seed, found.winner.seed) == (3, 3, 3)
    assert found.training.epochs == 10
    assert found.space.branches == 4
    assert found.algorithm.population * (found.algorithm.generations + 1) <= 8


def test_a_schedule_of_another_length_is_the_same_in_everything_else() -> None:
    shorter = trained_for(WINNER, 10)
    assert (shorter.epochs, shorter.patience, shorter.light) == (10, 5, 0.5)
    assert trained_for(WINNER, 1).patience == 1
    steps = Schedule(phases=((20, 1e-3), (4, 1e-4), (1, 1e-5)))
    assert trained_for(steps, 5).phases == ((4, 1e-3), (1, 1e-4), (1, 1e-5))


def test_the_search_file_says_what_was_decided(tmp_path: Path) -> None:
    found = decided(str(tmp_path / "pictures"))
    Destination(tmp_path).keep_decisions(settings(found), "why\nso")
    text = (tmp_path / "search.yaml").read_text()
    assert text.startswith("# why\n# so\n")
    assert read_search(tmp_path / "search.yaml") == found
    assert "bfloat16" not in text  # what is so by default is left out


def test_a_folder_is_taken_when_it_is_empty_or_ours(tmp_path: Path) -> None:
    Destination(tmp_path / "new").check("mnist", resume=False)
    assert not (tmp_path / "new").exists()
    Destination(tmp_path).check("mnist", resume=False)
    Destination(tmp_path).keep_decisions({"seed": 1}, "")
    with pytest.raises(FileError, match="--resume goes on with it"):
        Destination(tmp_path).check("mnist", resume=False)
    Destination(tmp_path).check("mnist", resume=True)
    (tmp_path / "holiday.jpg").write_bytes(b"")
    with pytest.raises(FileError, match=r"is not empty \(there is holiday.jpg"):
        Destination(tmp_path).check("mnist", resume=True)


def test_a_search_file_that_somebody_changed_is_kept(tmp_path: Path) -> None:
    Destination(tmp_path).keep_decisions({"seed": 1}, "")
    Destination(tmp_path).keep_decisions({"seed": 1}, "")
    (tmp_path / "search.yaml").write_text("seed: 2\n")
    with pytest.raises(FileError, match="is not what these options decide"):
        Destination(tmp_path).keep_decisions({"seed": 1}, "")
    assert yaml.safe_load((tmp_path / "search.yaml").read_text()) == {"seed": 2}


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ("mnist", "mnist"),
        ("/home/me/Is the Bin out?", "is-the-bin-out"),
        ("/home/me/Tür", "t-r"),
        ("/home/me/猫", "pictures"),
        ("/data/" + "x" * 90, "x" * 64),
    ],
)
def test_a_bundle_is_called_after_its_pictures(data: str, name: str) -> None:
    assert bundle_name(data) == name


def test_options_are_an_input() -> None:
    assert InputConfig.of(wanted(None, "auto", None, "stretch")) == InputConfig()
    assert InputConfig.of(wanted("64", "grey", "0.5,0,0.5,1", "pad")) == InputConfig(
        size=64, colour="grey", crop=(0.5, 0.0, 0.5, 1.0), fit="pad"
    )
    assert InputConfig.of(wanted("96X72", "auto", None, "cover")).size == (96, 72)
