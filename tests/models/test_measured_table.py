"""A table of measured networks answers as an evaluator does."""

from pathlib import Path

import pytest

from evolution.genome import Genome
from models.measured_table import TableEvaluator

HEADER = "network,accuracy,macs,parameters,seconds,seed\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "table.csv"
    path.write_text(text)
    return path


def test_a_network_has_the_mean_accuracy_of_its_seeds(tmp_path: Path) -> None:
    lines = "0-00|1-01,0.5,1,1,1,0\n0-00|1-01,0.75,1,1,1,1\n1-11|0-00,0.25,1,1,1,0\n"
    table = TableEvaluator.read(written(tmp_path, HEADER + lines))
    assert table(Genome.parse("0-00|1-01")).accuracy == 0.625
    assert table(Genome.parse("1-11|0-00")).accuracy == 0.25


def test_isomorphic_genomes_are_one_network(tmp_path: Path) -> None:
    genome = Genome.parse("1-00")
    table = TableEvaluator.read(written(tmp_path, f"accuracy,network\n0.5,{genome}\n"))
    assert table(Genome.parse("0-01")) == table(genome)


def test_a_network_that_is_not_there_is_named_with_the_file(tmp_path: Path) -> None:
    table = TableEvaluator.read(written(tmp_path, HEADER))
    with pytest.raises(ValueError, match=r"table\.csv: has no network 1-11"):
        table(Genome.parse("1-11"))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "line 1: no column accuracy"),
        ("network,seed\n", "line 1: no column accuracy"),
        ("network,accuracy,accuracy\n", "line 1: column accuracy is there twice"),
        (HEADER + f"{'-'.join('0' * n for n in range(1, 30))},0.5,1,1,1,0\n", "line 2: nodes: "),
        (HEADER + "1-11,0.5,1,1,1,0\n1-11,good,1,1,1,0\n", "line 3: .*good"),
        (HEADER + "1-11,1.5,1,1,1,0\n", "line 2: accuracy: 1.5 is not between 0 and 1"),
        (HEADER + "1-11,nan,1,1,1,0\n", "line 2: accuracy: nan"),
        (HEADER + "1-1,0.5,1,1,1,0\n", "line 2: stage: "),
        (HEADER + "1-11\n", "line 2: a field is missing"),
        (HEADER + '"1-11', "line 2: "),
    ],
)
def test_a_bad_file_is_named_with_the_line(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=rf"table\.csv: {sentence}"):
        TableEvaluator.read(written(tmp_path, text))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"absent\.csv: No such file"):
        TableEvaluator.read(tmp_path / "absent.csv")
    (tmp_path / "picture.csv").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(ValueError, match=r"picture\.csv: no text in UTF-8"):
        TableEvaluator.read(tmp_path / "picture.csv")
