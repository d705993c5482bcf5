"""Calibration: confidence that is right as often as it says, and a threshold that keeps right answers."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.calibration import (
    HIGHEST_THRESHOLD,
    calibrate,
    confidences,
    fitted_temperature,
)

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def answers(count: int, temperature: float, classes: int = 3) -> tuple[Floats, Ints]:
    """Logits (N, C) whose softmax over `temperature` is the truth: labels are drawn from it."""
    random = np.random.default_rng(0)
    logits = random.normal(0, 2 * temperature, (count, classes))
    chances = np.exp(logits / temperature)
    chances /= chances.sum(1, keepdims=True)
    drawn = (random.random((count, 1)) > chances.cumsum(1)).sum(1).clip(0, classes - 1)
    return logits, drawn.astype(np.int64)


@pytest.mark.parametrize("temperature", [0.25, 1.0, 4.0])
def test_the_temperature_is_the_one_that_labels_were_drawn_with(temperature: float) -> None:
    logits, labels = answers(4000, temperature)
    assert fitted_temperature(logits, labels) == pytest.approx(temperature, rel=0.1)
    sure = confidences(logits, fitted_temperature(logits, labels))
    right = logits.argmax(1) == labels
    for low, high in ((0.4, 0.6), (0.6, 0.8), (0.8, 1.0)):
        among = (sure >= low) & (sure < high)
        assert right[among].mean() == pytest.approx(sure[among].mean(), abs=0.05)


@pytest.mark.parametrize("count", [2, 12, 100])
def test_all_right_of_a_few_is_no_certainty(count: int) -> None:
    """Six of six right is expected 7 times of 8 (Platt); without smoothing it would be always."""
    labels = np.arange(count) % 2
    logits = np.where(labels[:, None] == np.arange(2), 20.0, 0.0)
    sure = confidences(logits, fitted_temperature(logits, labels))
    assert sure == pytest.approx((count / 2 + 1) / (count / 2 + 2), abs=0.02)


def test_the_threshold_keeps_98_percent_of_right_answers_and_no_more() -> None:
    logits, labels = answers(3000, 1.0)
    found = calibrate(logits, labels)
    sure = confidences(logits, found.temperature)
    right = logits.argmax(1) == labels
    assert 0.975 <= (sure[right] >= found.threshold).mean() <= 0.995
    assert (sure[~right] >= found.threshold).mean() < 0.95


def test_few_pictures_do_not_hold_the_least_sure_answer() -> None:
    """Threshold from 12, kept on 4,000 more: without room below the lowest of 12, it would be 92 %."""
    random = np.random.default_rng(1)
    kept = []
    for _ in range(50):
        margin = random.normal(4, 1, 4012)
        logits = np.stack([margin, np.zeros(4012)], 1)
        labels = np.zeros(4012, np.int64)
        found = calibrate(logits[:12], labels[:12])
        kept.append((confidences(logits[12:], found.temperature) >= found.threshold).mean())
    assert np.mean(kept) > 0.96


def test_a_missing_branch_does_not_make_most_answers_unknown() -> None:
    labels = np.arange(1000) % 2
    margins = np.random.default_rng(0).normal(3, 0.8, 1000)
    logits = np.where(labels[:, None] == np.arange(2), margins[:, None], 0.0)
    degraded = np.stack([0.4 * logits, 0.5 * logits])
    alone, both = calibrate(logits, labels), calibrate(logits, labels, degraded)
    assert both.temperature == alone.temperature
    assert both.threshold < alone.threshold
    for view in degraded:
        right = view.argmax(1) == labels
        assert (confidences(view[right], both.temperature) >= both.threshold).mean() > 0.8


def test_however_sure_a_network_is_the_threshold_has_a_bound() -> None:
    labels = np.arange(20_000) % 2
    logits = np.where(labels[:, None] == np.arange(2), 9.0, -9.0)
    assert calibrate(logits, labels).threshold == HIGHEST_THRESHOLD


@given(st.integers(1, 30), st.integers(2, 5), st.integers(0, 2**32 - 1), st.floats(0, 1e4))
def test_any_logits_give_a_calibration_that_a_bundle_bears(
    count: int, classes: int, seed: int, scale: float
) -> None:
    random = np.random.default_rng(seed)
    logits = random.normal(0, 1, (count, classes)) * scale
    labels = random.integers(0, classes, count)
    found = calibrate(logits, labels, logits[None] / 2)
    assert 0.05 <= found.temperature <= 50
    assert 0 <= found.threshold <= HIGHEST_THRESHOLD


def test_what_cannot_be_calibrated_is_refused() -> None:
    with pytest.raises(ValueError, match="are not those of pictures"):
        calibrate(np.zeros((0, 2)), np.zeros(0, np.int64))
    with pytest.raises(ValueError, match="not finite"):
        calibrate(np.array([[0.0, np.nan]]), np.zeros(1, np.int64))
