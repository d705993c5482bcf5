"""A share with its interval, and what may be said of a network's answers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from coordinator.report.assessment import Assessment
from coordinator.report.interval import Share
from models.outcome import Outcome


@given(st.integers(1, 5000), st.data())
def test_the_interval_is_wilsons(count: int, data: st.DataObject) -> None:
    part = data.draw(st.integers(0, count))
    oracle = binomtest(part, count).proportion_ci(0.95, "wilson")
    low, high = Share(part, count).interval
    assert (low, high) == pytest.approx((oracle.low, oracle.high), abs=1e-9)
    assert 0 <= low <= part / count <= high <= 1


@pytest.mark.parametrize(
    ("part", "count", "tells"),
    [
        (12, 12, False),
        (16, 16, True),
        (15, 16, False),
        (31, 32, True),
        (16, 32, False),
        (50, 100, True),
    ],
)
def test_a_share_tells_something_when_its_interval_is_narrow(
    part: int, count: int, tells: bool
) -> None:
    assert Share(part, count).tells is tells


def test_no_share_of_nothing() -> None:
    for part, count in ((0, 0), (3, 2), (-1, 2)):
        with pytest.raises(ValueError, match="no share"):
            Share(part, count)


def outcome(
    table: list[tuple[int, int, float]],
    classes: tuple[str, ...] = ("closed", "open"),
    **more: object,
) -> Outcome:
    """Return answers (truth, answer, margin of the logits), the margin in favour of the answer."""
    logits = np.zeros((len(table), len(classes)))
    for row, (_, answer, margin) in enumerate(table):
        logits[row, answer] = margin
    labels = np.array([truth for truth, _, _ in table], np.int64)
    return Outcome(classes, labels, logits, **more)  # type: ignore[arg-type]


MIXED = outcome([(0, 0, 4.0)] * 6 + [(0, 1, 0.2)] * 2 + [(1, 1, 4.0)] * 7 + [(1, 0, 2.0)])


def test_answers_are_counted_by_class() -> None:
    found = Assessment(MIXED)
    assert found.whole == Share(13, 16)
    assert found.classes == {"closed": Share(6, 8), "open": Share(7, 8)}
    assert MIXED.confusion.tolist() == [[6, 2], [1, 7]]
    assert [(each.truth, each.answer, each.count) for each in found.confusions] == [
        ("closed", "open", 2),
        ("open", "closed", 1),
    ]
    assert MIXED.worst().tolist() == [15, 6, 7]  # the surest first


def test_a_threshold_takes_the_unsure_answers_away() -> None:
    sure = Outcome(MIXED.classes, MIXED.labels, MIXED.logits, threshold=0.7)
    found = Assessment(sure)
    assert found.unknown == Share(2, 16)
    assert found.known == Share(13, 14)
    assert found.wrong_called_unknown == (2, 3)
    everything = Outcome(MIXED.classes, MIXED.labels, MIXED.logits, threshold=1.0)
    assert Assessment(everything).known is None


def test_confidence_is_the_softmax_over_the_temperature() -> None:
    cool = Outcome(MIXED.classes, MIXED.labels, MIXED.logits, temperature=2.0)
    assert cool.confidences[0] == pytest.approx(1 / (1 + np.exp(-2.0)))
    assert (cool.answers == MIXED.answers).all()


def test_bins_hold_every_answer_once() -> None:
    found = Assessment(MIXED).bins
    assert sum(each.right.count for each in found) == 16
    assert all(each.low <= each.confidence <= each.high for each in found)


def test_doubts_are_said() -> None:
    good = outcome([(0, 0, 4.0)] * 16 + [(1, 1, 4.0)] * 16)
    assert Assessment(good).doubts == ()
    (few, not_better) = Assessment(outcome([(0, 0, 4.0)] * 2 + [(1, 0, 4.0)] * 2)).doubts
    assert few.startswith("Too few pictures to tell: 4 are held out")
    assert "always answering “closed”, which is right for 2 of 4" in not_better
    unseen = outcome([(0, 0, 4.0)] * 30 + [(1, 1, 4.0)] * 30, ("closed", "open", "ajar"))
    assert "No picture is held out of ajar" in Assessment(unseen).doubts[0]
    vague = outcome([(0, 0, 4.0)] * 40 + [(1, 1, 4.0)] * 5)
    assert Assessment(vague).doubts == ("Too few pictures to tell of these classes alone: open.",)


def test_an_outcome_is_of_one_size() -> None:
    with pytest.raises(ValueError, match="logits are"):
        Outcome(("a", "b"), np.zeros(3, np.int64), np.zeros((2, 2)))
    with pytest.raises(ValueError, match="1 files"):
        Outcome(("a", "b"), np.zeros(2, np.int64), np.zeros((2, 2)), files=("x",))
