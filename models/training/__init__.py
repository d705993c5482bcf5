"""Training so that fusion works with branches missing, and the accuracy with and without them."""

from models.training.accuracy import (
    accuracy,
    accuracy_by_missing,
    measured_partial_logits,
    right_by_missing,
)
from models.training.loop import DivergedError, Progress, train
from models.training.schedule import PAPER_PHASES, Schedule

__all__ = [
    "PAPER_PHASES",
    "DivergedError",
    "Progress",
    "Schedule",
    "accuracy",
    "accuracy_by_missing",
    "measured_partial_logits",
    "right_by_missing",
    "train",
]
