"""What the answers to held-out pictures amount to: shares with intervals, and what may be said; pure."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from coordinator.report.interval import TELLING_WIDTH, Share
from models.outcome import Outcome

BINS: Final = 10
"""Of confidence, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Confused:
    """So many pictures of a class were given another one."""

    truth: str
    answer: str
    count: int
    of: int


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers of about the same confidence: the mean of it, and the share that is right."""

    low: float
    high: float
    confidence: float
    right: Share


@dataclass(frozen=True)
class Assessment:
    """An outcome, looked at from all sides."""

    outcome: Outcome

    @cached_property
    def whole(self) -> Share:
        """Right answers among all held-out pictures, unknown ones counted by their best class."""
        return Share(int(self.outcome.right.sum()), len(self.outcome))

    @cached_property
    def classes(self) -> dict[str, Share | None]:
        """Right answers by class; None for a class that has no picture held out."""
        counts = np.bincount(self.outcome.labels, minlength=len(self.outcome.classes))
        right = np.diag(self.outcome.confusion)
        return {
            name: Share(int(right[label]), int(counts[label])) if counts[label] else None
            for label, name in enumerate(self.outcome.classes)
        }

    @cached_property
    def baseline(self) -> tuple[str, Share]:
        """The class that most held-out pictures are of: always answering it is right so often."""
        counts = np.bincount(self.outcome.labels, minlength=len(self.outcome.classes))
        label = int(counts.argmax())
        return self.outcome.classes[label], Share(int(counts[label]), len(self.outcome))

    @property
    def beats_baseline(self) -> bool:
        """Whether even the low end of the interval is above always answering the same class."""
        return self.whole.interval[0] > self.baseline[1].value

    @cached_property
    def unknown(self) -> Share:
        """Answers that the threshold calls unknown."""
        return Share(int((~self.outcome.known).sum()), len(self.outcome))

    @cached_property
    def known(self) -> Share | None:
        """Right answers among those that are not called unknown; None if there are none."""
        known = self.outcome.known
        return Share(int(self.outcome.right[known].sum()), int(known.sum())) if any(known) else None

    @property
    def wrong_called_unknown(self) -> tuple[int, int]:
        """How many wrong answers the threshold calls unknown, and how many there are in all."""
        wrong = ~self.outcome.right
        return int((wrong & ~self.outcome.known).sum()), int(wrong.sum())

    @cached_property
    def confusions(self) -> tuple[Confused, ...]:
        """Which class is taken for which, the most often first."""
        counts, names = self.outcome.confusion, self.outcome.classes
        found = [
            Confused(
                names[truth], names[answer], int(counts[truth, answer]), int(counts[truth].sum())
            )
            for truth, answer in zip(*np.nonzero(counts), strict=True)
            if truth != answer
        ]
        return tuple(sorted(found, key=lambda each: (-each.count, each.truth, each.answer)))

    @cached_property
    def bins(self) -> tuple[Bin, ...]:
        """Answers by confidence, those bins that have any."""
        confidences, right = self.outcome.confidences, self.outcome.right
        places = np.minimum((confidences * BINS).astype(np.int64), BINS - 1)
        return tuple(
            Bin(
                place / BINS,
                (place + 1) / BINS,
                float(confidences[places == place].mean()),
                Share(int(right[places == place].sum()), int((places == place).sum())),
            )
            for place in np.unique(places)
        )

    @cached_property
    def doubts(self) -> tuple[str, ...]:
        """Return what a reader must know before trusting the numbers, one sentence each."""
        found = []
        if not self.whole.tells:
            found.append(
                f"Too few pictures to tell: {len(self.outcome)} are held out, and the interval is "
                f"wider than {100 * TELLING_WIDTH:.0f} points."
            )
        if not self.beats_baseline:
            name, share = self.baseline
            found.append(
                f"Not shown to be better than always answering “{name}”, which is right for "
                f"{share.part} of {share.count}."
            )
        if unseen := [name for name, share in self.classes.items() if share is None]:
            found.append(
                f"No picture is held out of {', '.join(unseen)}: nothing is known of them."
            )
        vague = [name for name, share in self.classes.items() if share and not share.tells]
        if vague and self.whole.tells:
            found.append(f"Too few pictures to tell of these classes alone: {', '.join(vague)}.")
        return tuple(found)

    def summary(self) -> dict[str, object]:
        """Return it for ``learn.json``: rows and columns of the confusion matrix as in ``per_class``."""
        return {
            "accuracy": self.whole.value,
            "interval": list(self.whole.interval),
            "per_class": {
                name: {
                    "accuracy": share.value if share else None,
                    "interval": list(share.interval) if share else None,
                    "pictures": share.count if share else 0,
                }
                for name, share in self.classes.items()
            },
            "confusion": self.outcome.confusion.tolist(),
            "missing": {str(n): share for n, share in enumerate(self.outcome.missing, 1)},
            "threshold": self.outcome.threshold,
        }
