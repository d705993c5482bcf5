"""A folder with one folder of pictures per class: read, grouped and divided."""

from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from pictures.errors import DatasetError, UnreadableError
from pictures.fit import COLOUR, GREY
from pictures.folders.gathering import Tell, gather, quietly
from pictures.folders.glance import Glance, Shape, glance
from pictures.folders.layout import Entry, Layout, layout_of
from pictures.folders.soundness import refuse_all_the_same, refuse_too_few
from pictures.folders.survey import Pair, Survey
from pictures.framing import WHOLE, Framing
from pictures.grouping.groups import bounded, by_class, connected
from pictures.grouping.holding_out import hold_out
from pictures.grouping.likeness import near_pairs, usual_difference
from pictures.grouping.neighbours import Moment, neighbours, order
from pictures.header import Header
from pictures.listing import Skipped
from pictures.reading import read_header

LONGEST_SIDE: Final = 64
"""Pixels; larger pictures are scaled down to it. Five classes of 24 pictures with things of 1 to 3 % of the
picture: 94.8 % right at 64, 90.2 % at 96 pixels, which cost twice as much."""

TEST_SHARE: Final = 0.2
MOST_BYTES: Final = 4 * 2**30

Pixels = npt.NDArray[np.uint8]


def read_class_folders(
    folder: Path, shape: Shape | None = None, framing: Framing = WHOLE, tell: Tell = quietly
) -> tuple[Survey, Pixels]:
    """Read a folder with one folder of pictures per class, or such folders under train/ and test/.

    Without a folder to test on, about a fifth of each class is held out, whole groups of pictures
    that belong together. shape: (C, H, W), by default what suits the pictures. Returns what is known
    of the pictures that could be read, and those as the network sees them, uint8 (N, C, H, W).
    Raises DatasetError when nothing can be learned from the folder.
    """
    layout = layout_of(folder)
    divided = _check(folder, layout, layout.entries)
    if shape is None:
        shape = _suggested(folder, layout, framing, tell)
    _check_memory(folder, len(layout.entries), shape)
    entries, glances, skipped, pixels = _read(layout, shape, framing, tell)
    _check(folder, layout, entries)
    thumbs = np.stack([each.thumb for each in glances])
    digests = [each.digest for each in glances]
    refuse_all_the_same(str(folder), digests, thumbs)
    labels = np.array([entry.label for entry in entries], np.int64)
    moments = [
        Moment(entry.file, each.header.taken_s)
        for entry, each in zip(entries, glances, strict=True)
    ]
    pairs = _pairs(moments, labels, digests, thumbs)
    scenes = connected(len(entries), [(pair.first, pair.second) for pair in pairs])
    same = [(pair.first, pair.second) for pair in pairs if pair.why == "same file"]
    groups = bounded(scenes, labels, order(moments), connected(len(entries), same))
    if divided:
        held = np.array([entry.testing is True for entry in entries], np.bool_)
    else:
        groups, held = _held_out(labels, groups)
    survey = Survey(
        layout.classes,
        entries,
        tuple(each.header for each in glances),
        pairs,
        scenes,
        groups,
        held,
        divided,
        tuple(usual_difference(thumbs[labels == each]) for each in range(len(layout.classes))),
        (*layout.skipped, *skipped),
        layout.passed_over,
        layout.warnings,
    )
    return survey, pixels


def suggested_shape(folder: Path, framing: Framing = WHOLE, tell: Tell = quietly) -> Shape:
    """Return the shape (C, H, W) that suits the pictures of a folder, from their headers alone.

    The aspect is that of the most common size (the earlier on a draw) or of its zone that the
    framing shows, the longest side at most LONGEST_SIDE; grey if all pictures are grey.
    Raises DatasetError.
    """
    layout = layout_of(folder)
    return _suggested(folder, layout, framing, tell)


def _suggested(folder: Path, layout: Layout, framing: Framing, tell: Tell) -> Shape:
    paths = [entry.path for entry in layout.entries]
    headers = [
        header
        for header in gather(read_header, paths, "looking at headers", tell)
        if isinstance(header, Header)
    ]
    if not headers:
        raise DatasetError(f"{folder}: none of its {len(paths)} pictures can be read")
    return shape_that_suits(headers, framing)


def shape_that_suits(headers: Sequence[Header], framing: Framing = WHOLE) -> Shape:
    """Return the shape (C, H, W) that suits pictures of these headers, at least one."""
    sizes = Counter((header.width, header.height) for header in headers)
    ((width, height), _), *_ = sizes.most_common(1)
    channels = GREY if all(header.grey for header in headers) else COLOUR
    return shape_within((channels, height, width), framing)


def shape_within(whole: Shape, framing: Framing) -> Shape:
    """Return the shape of the zone that a framing shows of a picture, scaled down to LONGEST_SIDE."""
    channels, height, width = whole
    _, _, across, down = framing.crop or (0.0, 0.0, 1.0, 1.0)
    wide, high = max(1.0, width * across), max(1.0, height * down)
    scale = min(1.0, LONGEST_SIDE / max(wide, high))
    return channels, max(1, round(high * scale)), max(1, round(wide * scale))


def _check(folder: Path, layout: Layout, entries: Sequence[Entry]) -> bool:
    """Refuse what cannot work with these pictures; return whether there is a folder to test on."""
    divided = any(entry.testing is not None for entry in layout.entries)
    counts = Counter(entry.label for entry in entries if not entry.testing)
    of_class = [counts[label] for label in range(len(layout.classes))]
    if len(layout.classes) == 1 and len(inside := _folders_inside(layout)) > 1:
        raise DatasetError(
            f"{folder}: one class only ({layout.classes[0]}); if the folders in it, as {inside[0]} and "
            f"{inside[1]}, are the classes, name {folder / layout.classes[0]} instead"
        )
    refuse_too_few(str(folder), layout.classes, of_class, divided=divided)
    if divided and not any(entry.testing for entry in entries):
        raise DatasetError(f"{folder}: no pictures to test on that can be read")
    return divided


def _folders_inside(layout: Layout) -> list[str]:
    """Return the folders within class folders that hold pictures."""
    parts = (Path(entry.file).parts for entry in layout.entries)
    return sorted({part[1] for part in parts if len(part) > 2})


def _check_memory(folder: Path, count: int, shape: Shape) -> None:
    channels, height, width = shape
    if count * channels * height * width > MOST_BYTES:
        raise DatasetError(
            f"{folder}: {count} pictures of {width}x{height} do not fit in memory; take a smaller size"
        )


def _read(
    layout: Layout, shape: Shape, framing: Framing, tell: Tell
) -> tuple[tuple[Entry, ...], list[Glance], list[Skipped], Pixels]:
    """Read all pictures of a layout, and skip those that are damaged."""
    paths = [entry.path for entry in layout.entries]
    pixels: Pixels = np.empty((len(paths), *shape), np.uint8)
    entries: list[Entry] = []
    glances: list[Glance] = []
    skipped: list[Skipped] = []
    read = partial(glance, shape=shape, framing=framing)
    results = gather(read, paths, "reading pictures", tell)
    for entry, result in zip(layout.entries, results, strict=True):
        if isinstance(result, UnreadableError):
            skipped.append(Skipped(entry.file, result.reason))
            continue
        pixels[len(entries)] = result.pixels
        entries.append(entry)
        glances.append(result.without_pixels())
    return tuple(entries), glances, skipped, pixels[: len(entries)]


def _pairs(
    moments: Sequence[Moment],
    labels: npt.NDArray[np.int64],
    digests: Sequence[bytes],
    thumbs: npt.NDArray[np.uint8],
) -> tuple[Pair, ...]:
    """Return why pictures belong together; of several reasons the one that says most.

    In one class that two were taken one after the other says why they are nearly the same.
    """
    first_of: dict[bytes, int] = {}
    found: dict[tuple[int, int], Pair] = {}
    for one, other in neighbours(moments, thumbs):
        found[one, other] = Pair(one, other, "neighbours")
    for one, other in near_pairs(thumbs):
        if (one, other) not in found or labels[one] != labels[other]:
            found[one, other] = Pair(one, other, "nearly the same")
    for index, digest in enumerate(digests):
        if (first := first_of.setdefault(digest, index)) != index:
            found[first, index] = Pair(first, index, "same file")
    return tuple(found[key] for key in sorted(found))


def _held_out(
    labels: npt.NDArray[np.int64], groups: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Hold a fifth of each class out; return the groups too, divided by class where that is needed.

    A group of several classes may leave a class on one side only.
    """
    sizes = np.bincount(labels)
    targets = np.maximum(1, np.rint(TEST_SHARE * sizes)).astype(np.int64)
    held = hold_out(labels, groups, targets, seed=0)
    tested = np.bincount(labels[held], minlength=len(sizes))
    if not ((tested > 0) & (tested < sizes)).all():
        groups = by_class(groups, labels)
        held = hold_out(labels, groups, targets, seed=0)
    return groups, held
