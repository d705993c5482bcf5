"""What was found out about a data set, whatever kind it is of."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from coordinator.inspect.wanted import Wanted
from pictures.dataset import Dataset, Pictures, is_class_folders, load, suggested_shape, survey
from pictures.folders.gathering import Tell
from pictures.folders.survey import Survey, Why

_COPIES_NAMED: Final = 24
_SKIPPED_NAMED: Final = 10


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A picture as the network sees it, uint8 (C, H, W), with its name, class and part."""

    pixels: npt.NDArray[np.uint8]
    file: str
    label: str
    testing: bool


@dataclass(frozen=True, slots=True)
class Pair:
    """Two pictures that belong together, and why."""

    first: Shown
    second: Shown
    why: Why


@dataclass(frozen=True, slots=True, eq=False)
class Findings:
    """A data set; the survey of its folder, where it is one of class folders; and some of its pairs.

    paired: how many pairs there are, by why they belong together.
    """

    dataset: Dataset
    survey: Survey | None
    pairs: tuple[Pair, ...]
    paired: dict[Why, int]

    def counts(self) -> dict[str, tuple[int, int]]:
        """Return by class how many pictures there are, and how many of them are to test on."""
        size = len(self.dataset.classes)
        train, test = (
            np.bincount(part.labels, minlength=size).tolist()
            for part in (self.dataset.train, self.dataset.test)
        )
        return {
            name: (train[label] + test[label], test[label])
            for label, name in enumerate(self.dataset.classes)
        }

    def as_dict(self) -> dict[str, Any]:
        """Return what `inspect --json` prints."""
        return {
            "classes": {
                name: {"pictures": pictures, "test": test}
                for name, (pictures, test) in self.counts().items()
            },
            "skipped": [
                {"file": each.file, "reason": each.reason} for each in self.dataset.skipped
            ],
            "warnings": list(self.dataset.warnings),
        }

    def lines(self) -> Iterator[str]:
        """Yield what `inspect` prints for people."""
        dataset = self.dataset
        channels, height, width = dataset.shape
        count = len(dataset.train) + len(dataset.test)
        yield (
            f"{dataset.name}: {count} pictures of {len(dataset.classes)} classes, {len(dataset.test)} of "
            f"them to test on; a network sees {width}x{height} {'grey' if channels == 1 else 'colour'}"
        )
        for name, (pictures, test) in self.counts().items():
            yield f"  {name}: {pictures}, {test} to test on"
        for each in dataset.skipped[:_SKIPPED_NAMED]:
            yield f"skipped {each.file}: {each.reason}"
        if len(dataset.skipped) > _SKIPPED_NAMED:
            yield f"skipped {len(dataset.skipped) - _SKIPPED_NAMED} more, all of them on the page"

    def sizes(self) -> Counter[tuple[int, int]]:
        """Return how many pictures there are of each width and height, as their files have them."""
        if self.survey is not None:
            return Counter((header.width, header.height) for header in self.survey.headers)
        _, height, width = self.dataset.shape
        return Counter({(width, height): len(self.dataset.train) + len(self.dataset.test)})

    def sheet(self, label: int, most: int) -> list[Shown]:
        """Return pictures of a class from all over it, in the order of their names, `most` at most."""
        shown = []
        for part, testing in ((self.dataset.train, False), (self.dataset.test, True)):
            of_class = np.flatnonzero(part.labels == label)
            share = max(1, round(most * len(of_class) / max(1, self.counts_of(label))))
            chosen = np.unique(np.linspace(0, len(of_class) - 1, min(share, len(of_class))).round())
            shown += [
                _shown(self.dataset, part, int(of_class[int(at)]), testing=testing) for at in chosen
            ]
        return sorted(shown, key=lambda each: each.file)[:most]

    def counts_of(self, label: int) -> int:
        """Return how many pictures of a class there are."""
        return int(
            sum(np.sum(part.labels == label) for part in (self.dataset.train, self.dataset.test))
        )


def find_out(data: str, wanted: Wanted, tell: Tell) -> Findings:
    """Look at a data set as `pictures.dataset.load` names it. Raises DatasetError."""
    if is_class_folders(data):
        folder = Path(data)
        shape = None
        if not wanted.suits:
            exact = isinstance(wanted.size, tuple) and wanted.colour != "auto"
            shape = wanted.shape((3, 1, 1) if exact else suggested_shape(folder, wanted.framing))
        dataset, found = survey(folder, shape, wanted.framing, tell)
        paired: dict[Why, int] = Counter(pair.why for pair in found.pairs)
        return Findings(dataset, found, tuple(_pairs(dataset, found)), paired)
    dataset = load(data)
    if not (wanted.suits and wanted.framing.crop is None):
        dataset = load(data, wanted.shape(dataset.shape), wanted.framing)
    pairs = list(_copies(dataset))
    warnings = [*dataset.warnings, *_told(pairs)]
    return Findings(
        replace(dataset, warnings=tuple(warnings)),
        None,
        tuple(pairs[:_COPIES_NAMED]),
        {"same file": len(pairs)} if pairs else {},
    )


def _pairs(dataset: Dataset, found: Survey) -> Iterator[Pair]:
    """Yield some pairs of each kind, those first that should not be: in two classes, on both sides."""
    places = {
        file: (part, index, testing)
        for part, testing in ((dataset.train, False), (dataset.test, True))
        for index, file in enumerate(part.files)
    }

    def shown(place: int) -> Shown:
        part, index, testing = places[found.entries[place].file]
        return _shown(dataset, part, index, testing=testing)

    kinds: tuple[Why, ...] = ("same file", "nearly the same", "neighbours")
    for why in kinds:
        of_kind = [pair for pair in found.pairs if pair.why == why]
        of_kind.sort(
            key=lambda pair: (
                why == "neighbours"
                or found.entries[pair.first].label == found.entries[pair.second].label,
                found.held[pair.first] == found.held[pair.second],
            )
        )
        for pair in of_kind[:_COPIES_NAMED]:
            yield Pair(shown(pair.first), shown(pair.second), why)


def _shown(dataset: Dataset, part: Pictures, index: int, *, testing: bool) -> Shown:
    label = dataset.classes[int(part.labels[index])]
    file = part.files[index] if part.files else f"{label}, {'test' if testing else 'train'} {index}"
    return Shown(part.pixels[index], file, label, testing)


def _copies(dataset: Dataset) -> Iterator[Pair]:
    """Yield pictures without files that are the same in two classes, or to train and to test on."""
    first: dict[bytes, tuple[Pictures, int, bool]] = {}
    for part, testing in ((dataset.train, False), (dataset.test, True)):
        for index, pixels in enumerate(part.pixels):
            known, at, tested = first.setdefault(pixels.tobytes(), (part, index, testing))
            if tested != testing or known.labels[at] != part.labels[index]:
                yield Pair(
                    _shown(dataset, known, at, testing=tested),
                    _shown(dataset, part, index, testing=testing),
                    "same file",
                )


def _told(pairs: list[Pair]) -> Iterator[str]:
    across = [pair for pair in pairs if pair.first.label != pair.second.label]
    leaks = [pair for pair in pairs if pair.first.testing != pair.second.testing]
    if across:
        yield f"the same picture in two classes: {_example(across)}; it can only be one of them"
    if leaks:
        yield f"the same picture to train and to test on: {_example(leaks)}; the accuracy will look better than it is"


def _example(pairs: list[Pair]) -> str:
    more = f" and {len(pairs) - 1} more pairs" if len(pairs) > 1 else ""
    return f"{pairs[0].first.file} and {pairs[0].second.file}{more}"
