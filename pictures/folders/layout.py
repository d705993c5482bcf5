"""Which folder is which class, and which pictures are to test on."""

import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pictures.errors import DatasetError
from pictures.listing import Skipped, is_passed_over, listing, shown

MOST_CLASSES: Final = 10_000
LONGEST_NAME: Final = 256  # characters, as the bundle bears it

_TRAIN: Final = ("train", "training")
_TEST: Final = ("test", "testing", "val", "valid", "validation")
"""The first of these that is there beside train/ is what is tested on."""

_UNBORNE: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Kinds of characters in no label: controls, halves of others, ends of lines and paragraphs."""

HOW: Final = "give each class a folder of its own, named after it, and put its pictures there"


@dataclass(frozen=True, slots=True)
class Entry:
    """One picture file: its name within the data set's folder, where it is, its class, and its part.

    testing: whether it lies in the folder to test on; None where there is no such folder.
    """

    file: str
    path: Path
    label: int
    testing: bool | None


@dataclass(frozen=True, slots=True)
class Layout:
    """The classes in the order of their names, their pictures in the order of theirs, and the rest."""

    classes: tuple[str, ...]
    entries: tuple[Entry, ...]
    skipped: tuple[Skipped, ...]
    passed_over: int
    warnings: tuple[str, ...]


def layout_of(folder: Path) -> Layout:
    """Find the classes of a folder and their pictures; none is decoded.

    Raises DatasetError: no folders of pictures, a name that no bundle can bear, a class without
    pictures or with pictures to test on alone.
    """
    try:
        parts, warnings, skipped = _parts(folder)
        reading = _Reading(folder, skipped)
        by_part = {testing: reading.classes(part) for part, testing in parts}
    except OSError as error:
        raise DatasetError(f"{error.filename or folder}: {error.strerror}") from None
    for testing, found in by_part.items():
        for name, paths in found.items():
            if not paths and testing is not True:
                raise DatasetError(reading.empty(name))
    known = by_part[False] if False in by_part else by_part[None]
    for name, paths in by_part.get(True, {}).items():
        if name not in known:
            raise DatasetError(
                f"{folder}: class {name} has no pictures in train, only {len(paths)} to test on; "
                "move some of them there, or remove the class"
            )
    classes = tuple(sorted(known))
    if len(classes) > MOST_CLASSES:
        raise DatasetError(f"{folder}: {len(classes)} classes; at most {MOST_CLASSES} are possible")
    entries = tuple(
        Entry(shown(path, folder), path, label, testing)
        for testing, found in by_part.items()
        for label, name in enumerate(classes)
        for path in found.get(name, ())
    )
    return Layout(classes, entries, tuple(reading.skipped), reading.passed_over, tuple(warnings))


def _parts(folder: Path) -> tuple[list[tuple[Path, bool | None]], list[str], list[Skipped]]:
    """Return the folders that hold class folders, and for each whether it is to test on."""
    inside = {path.name.casefold(): path for path in sorted(folder.iterdir()) if path.is_dir()}
    train = next((inside[name] for name in _TRAIN if name in inside), None)
    tests = [inside[name] for name in _TEST if name in inside]
    if train is not None and _seen(folder) == [train]:
        return [(train, None)], [], []
    if train is None or not tests:
        return [(folder, None)], [], []
    test, *more = tests
    warnings = []
    skipped = [
        Skipped(shown(path, folder), f"not in {train.name}/ or {test.name}/")
        for path in _seen(folder)
        if path not in (train, test)
    ]
    if more:
        names = " and ".join(f"{path.name}/" for path in more)
        warnings.append(f"{names}: not read; {train.name}/ and {test.name}/ are")
    return [(train, False), (test, True)], warnings, skipped


def _seen(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not is_passed_over(path.name))


class _Reading:
    """Lists class folders and keeps what was skipped in them."""

    def __init__(self, folder: Path, skipped: list[Skipped]) -> None:
        self._folder = folder
        self.skipped, self.passed_over = skipped, 0

    def classes(self, part: Path) -> dict[str, tuple[Path, ...]]:
        """Return the pictures of each class in a folder of class folders."""
        found: dict[str, tuple[Path, ...]] = {}
        pictures_outside = 0
        for path in sorted(part.iterdir()):
            if is_passed_over(path.name):
                self.passed_over += 1
            elif path.is_dir():
                name = self._name(path)
                if name in found:
                    raise DatasetError(f"{part}: two folders are called {name}")
                found[name] = self._pictures(path)
            else:
                pictures_outside += 1
                self.skipped.append(Skipped(shown(path, self._folder), "not in a class's folder"))
        if not found:
            there = f"{pictures_outside} files, but no" if pictures_outside else "no"
            raise DatasetError(
                f"{part}: neither IDX files nor folders of pictures: {there} folders; {HOW}"
            )
        return found

    def _pictures(self, path: Path) -> tuple[Path, ...]:
        listed = listing(path)
        prefix = shown(path, self._folder)
        self.skipped += [Skipped(f"{prefix}/{each.file}", each.reason) for each in listed.skipped]
        self.passed_over += listed.passed_over
        return listed.paths

    def _name(self, path: Path) -> str:
        name = unicodedata.normalize("NFC", path.name)
        shown_name = shown(path, self._folder)
        if any(unicodedata.category(each) in _UNBORNE for each in name):
            raise DatasetError(
                f"{self._folder}: the folder {shown_name!r} names a class, but has control characters "
                "or none of Unicode in it; rename it"
            )
        if len(name) > LONGEST_NAME:
            raise DatasetError(
                f"{self._folder}: the name of the folder {shown_name} is too long for a class"
            )
        if not name.strip():
            raise DatasetError(
                f"{self._folder}: the folder {shown_name!r} has an empty name; rename it"
            )
        return name

    def empty(self, name: str) -> str:
        """Say of a class that it has no pictures, and why its files are none."""
        files = [each for each in self.skipped if f"/{name}/" in f"/{each.file}"]
        why = (
            f" (its {len(files)} files are skipped; {files[0].file}: {files[0].reason})"
            if files
            else ""
        )
        return f"{self._folder / name}: no pictures in it{why}; add some, or remove the folder"
