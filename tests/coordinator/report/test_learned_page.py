"""The report of a trained network: what is measured is said, and nothing else."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from coordinator.files import FileError
from coordinator.report.learned import Learned
from coordinator.report.learned_page import learned_page, write_learned
from coordinator.report.summary import summary
from evolution.cost import NetworkShape
from evolution.genome import Genome
from models.outcome import Outcome
from pictures.dataset import Dataset
from pictures.labelled import Pictures
from tests.coordinator.fog import toys

SHAPE = NetworkShape(classes=2, input=(3, 8, 8), channels=((2,),))
GENOME = Genome.parse("1 / 0")
CLASSES = ("<closed>", "open & shut")


def pictures(count: int) -> Pictures:
    pixels = np.random.default_rng(0).integers(0, 256, (count, 3, 8, 8), np.uint8)
    files = tuple(f"shut/<{number}>.jpg" for number in range(count))
    return Pictures(pixels, np.arange(count, dtype=np.int64) % 2, files)


@pytest.fixture(scope="module")
def learned() -> Learned:
    """40 answers, of which the first two are wrong: one sure, one below the threshold."""
    test = pictures(40)
    logits = np.zeros((40, 2))
    logits[np.arange(40), test.labels] = 4.0
    logits[0], logits[1] = (0.0, 3.0), (0.1, 0.0)
    outcome = Outcome(CLASSES, test.labels, logits, (0.9,), 1.0, 0.75, test.files)
    bundle = toys.bundle().model_copy(update={"name": "door"})
    dataset = Dataset("doors", CLASSES, pictures(20), test)
    return Learned(
        bundle, GENOME, SHAPE, dataset, outcome, validation=4, epoch=7, epochs=9, networks=5,
        reasons=("seen often",), commands=("fog-coordinator deploy door",), seconds=75,
    )  # fmt: skip


def test_everything_that_was_measured_is_said(learned: Learned) -> None:
    page = learned_page(learned)
    for said in (
        "door: 95.0 % right",
        "38 of 40 held-out pictures of 2 classes",
        "95 % interval 83 to 99 %",
        "Wrong answers (2 of 40)",
        "<b>&lt;closed&gt;</b>, answered open &amp; shut 95%",
        "unknown (&lt;closed&gt; 52%)",
        "<code>shut/&lt;0&gt;.jpg</code>",
        '<td>1 of 2</td><td class="n">90.0 %</td>',
        "<th>epoch kept</th><td>7 of 9</td>",
        "1 min 15 s",
        "seen often",
        "fog-coordinator deploy door",
        "too few to tell",  # of a class: 19 of 20
    ):
        assert said in page, said


def test_the_page_needs_nothing_from_elsewhere_and_equal_ones_are_equal(learned: Learned) -> None:
    page = learned_page(learned)
    assert page == learned_page(learned)
    assert not re.search(r"<script|<link|https?:|src=\"(?!data:)", page)
    assert "prefers-color-scheme: dark" in page
    assert "<closed>" not in page


def test_without_a_threshold_or_a_mistake_none_is_spoken_of(learned: Learned) -> None:
    logits = np.zeros((40, 2))
    logits[np.arange(40), learned.outcome.labels] = 4.0
    perfect = replace(learned, outcome=Outcome(CLASSES, learned.outcome.labels, logits))
    page = learned_page(perfect)
    assert "None of the held-out pictures was answered wrong." in page
    assert "Nothing was taken for anything else." in page
    assert "The tinted part" not in page
    assert "When a device is missing" not in page
    assert not any("unknown" in line for line in summary(perfect))


def test_many_classes_are_a_list_of_mistakes(learned: Learned) -> None:
    names = tuple(f"kind {number}" for number in range(30))
    labels = np.arange(60, dtype=np.int64) % 30
    logits = np.zeros((60, 30))
    logits[np.arange(60), (labels + (labels > 26)) % 30] = 4.0
    many = replace(
        learned,
        outcome=Outcome(names, labels, logits),
        dataset=Dataset("many", names, pictures(60), replace(pictures(60), labels=labels)),
    )
    page = learned_page(many)
    assert '<table class="matrix">' not in page
    assert "kind 27 taken for kind 28: 2 of 2" in page


def test_a_terminal_is_told_the_same_in_short(learned: Learned) -> None:
    lines = summary(learned)
    assert lines[0] == "95.0 % of 40 held-out pictures right (interval 83 to 99 %)"
    assert lines[1] == "branches missing: 90.0 % with 1"
    assert (
        lines[2] == "unknown below a confidence of 75%: 2.5 % of them, 97.4 % of the others right"
    )


def test_a_page_that_cannot_be_written_is_named(learned: Learned, tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"page\.html"):
        write_learned(learned, tmp_path / "nowhere" / "page.html")
