"""What a data set lacks, told before anything is computed: what cannot work, and what should not be so."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from pictures.errors import DatasetError
from pictures.folders.survey import Pair, Survey
from pictures.grouping.groups import connected
from pictures.grouping.likeness import NEAR_MEAN

FEW: Final = 20
"""Pictures of a class below which a warning is due."""

UNEQUAL: Final = 8
"""How many times the smallest class the largest may be without a warning."""

_OTHERS: Final = "take more at other times and in other light"
_NAMED: Final = 3  # examples in a warning


def refuse_too_few(
    folder: str, classes: Sequence[str], counts: Sequence[int], *, divided: bool
) -> None:
    """Refuse pictures that nothing can be learned from; ``counts`` are those that are read, by class.

    divided: whether there is a folder to test on, so that one picture to train on is enough.
    Raises DatasetError, which says what to do.
    """
    if len(classes) < 2:
        what = "no pictures" if not sum(counts) else f"one class only ({classes[0]})"
        raise DatasetError(
            f"{folder}: {what}, there is nothing to tell apart; add a folder with pictures of what is "
            "not one, too"
        )
    least = 1 if divided else 2
    for name, count in zip(classes, counts, strict=True):
        if count < least:
            raise DatasetError(
                f"{folder}: class {name} has {_pictures(count)} that can be read; it takes {least} at "
                f"least, one of them to test on, and {FEW} or more are better"
                if not divided
                else f"{folder}: class {name} has no pictures to train on that can be read"
            )


def refuse_all_the_same(
    folder: str, digests: Sequence[bytes], thumbs: npt.NDArray[np.uint8]
) -> None:
    """Refuse a data set of which every picture is the same one. Raises DatasetError."""
    if len(set(digests)) == 1 or (thumbs == thumbs[:1]).all():
        raise DatasetError(
            f"{folder}: all {len(digests)} pictures are the same one; take different ones of each class"
        )


def warnings_of(survey: Survey) -> Iterator[str]:
    """Yield what can be trained on and should not be as it is, one sentence each."""
    labels = np.array([entry.label for entry in survey.entries], np.int64)
    counts = np.bincount(labels, minlength=len(survey.classes))
    yield from _counts(survey.classes, counts.tolist())
    tested = np.bincount(labels[survey.held], minlength=len(survey.classes))
    for name, count in zip(survey.classes, tested.tolist(), strict=True):
        if not count:
            yield f"{name}: no pictures to test on, so nobody will know how well it is told apart"
    yield from _the_same(survey, labels)
    yield from _across(survey, labels)
    if survey.skipped:
        first, count = survey.skipped[0], len(survey.skipped)
        yield f"{count} file{'s are' if count > 1 else ' is'} skipped, as {first.file} ({first.reason})"


def _counts(classes: Sequence[str], counts: Sequence[int]) -> Iterator[str]:
    few = [
        f"{name} has {count}" for name, count in zip(classes, counts, strict=True) if count < FEW
    ]
    if few:
        yield f"few pictures: {', '.join(few[:_NAMED])}{' …' * (len(few) > _NAMED)}; {FEW} or more of each class are better"
    largest, smallest = int(np.argmax(counts)), int(np.argmin(counts))
    if counts[largest] >= UNEQUAL * counts[smallest]:
        ratio = round(counts[largest] / counts[smallest])
        yield (
            f"unequal classes: {counts[largest]} pictures of {classes[largest]}, {counts[smallest]} of "
            f"{classes[smallest]} ({ratio}:1); take more of {classes[smallest]}"
        )


def _the_same(survey: Survey, labels: npt.NDArray[np.int64]) -> Iterator[str]:
    """Tell of classes that are one picture, or hardly more, over and over."""
    films = connected(
        len(labels),
        [(each.first, each.second) for each in survey.pairs if each.why == "neighbours"],
    )
    for label, name in enumerate(survey.classes):
        of_class = np.flatnonzero(labels == label)
        (_, longest), *_ = Counter(films[of_class].tolist()).most_common(1)
        if len(of_class) > 2 and survey.usual[label] <= NEAR_MEAN:
            yield f"{name}: its {len(of_class)} pictures hardly differ; {_OTHERS}"
        elif len(of_class) >= FEW and longest > len(of_class) / 2:
            yield f"{name}: {longest} of {len(of_class)} pictures were taken one after the other; {_OTHERS}"


def _across(survey: Survey, labels: npt.NDArray[np.int64]) -> Iterator[str]:
    """Tell of copies in two classes, or to train and to test on."""
    between = [pair for pair in survey.pairs if labels[pair.first] != labels[pair.second]]
    for why, words in (
        ("same file", "the same picture in two classes"),
        ("nearly the same", "nearly the same picture in two classes"),
    ):
        if found := [pair for pair in between if pair.why == why]:
            yield f"{words}: {_examples(survey, found)}; it can only be one of them"
    leaks = [
        pair
        for pair in survey.pairs
        if survey.given_test and survey.held[pair.first] != survey.held[pair.second]
    ]
    if leaks:
        yield (
            f"to test on and to train on are copies or neighbours: {_examples(survey, leaks)}; the "
            "accuracy will look better than it is"
        )


def _examples(survey: Survey, pairs: Sequence[Pair]) -> str:
    named = [
        f"{survey.entries[pair.first].file} and {survey.entries[pair.second].file}"
        for pair in pairs[:_NAMED]
    ]
    more = f" and {len(pairs) - _NAMED} more pairs" if len(pairs) > _NAMED else ""
    return ", ".join(named) + more


def _pictures(count: int) -> str:
    return f"{count} picture{'' if count == 1 else 's'}" if count else "no picture"
