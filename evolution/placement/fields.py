"""The fields of a placement problem file, checked one by one; each error names its field."""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import MISSING, fields
from difflib import get_close_matches
from typing import Any, Final, NoReturn

# Sums and quotients of what keeps to these are finite, however many there are in a problem.
MOST_BYTES: Final = 2.0**53
MOST_SECONDS: Final = 1e9
MOST_MACS: Final = 2.0**53
MOST_RATE: Final = 1e15
LEAST_RATE: Final = 1e-6
MOST_JOULES: Final = 1e6  # for a MAC or a byte
MOST_BUDGET: Final = 1e24
MOST_ENTRIES: Final = 10_000
_MOST_NAME: Final = 256
_SHOWN: Final = 80
_ALIKE: Final = 0.8


def refuse(where: str, why: str) -> NoReturn:
    """Raise ValueError with one line that names the field."""
    raise ValueError(f"{where}: {why}")


def amount(value: object, where: str, most: float) -> None:
    """Raise ValueError unless the value is a number from 0 to `most`."""
    _number(value, where, most)


def rate(value: object, where: str) -> None:
    """Raise ValueError unless the value is a number above zero by which one can divide."""
    _number(value, where, MOST_RATE, LEAST_RATE)


def optional_amount(value: object, where: str, most: float) -> None:
    """Do as `amount` for a number that may be left out (None)."""
    if value is not None:
        amount(value, where, most)


def _number(value: object, where: str, most: float, least: float = 0.0) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        refuse(where, f"{_shown(value)} is not a number.")
    if value == math.inf or not value >= 0 or (least and value == 0):
        wanted = "above zero" if least else "not negative"
        refuse(where, f"{_shown(value)} is not a finite number that is {wanted}.")
    if not least <= value <= most:
        refuse(where, f"{_shown(value)} is out of range, which is {least:g} to {most:g}.")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def identifier(value: object, where: str) -> str:
    """Return the id; ValueError unless it is text with something in it, 256 characters at most."""
    if not isinstance(value, str) or not 0 < len(value) <= _MOST_NAME:
        raise ValueError(f"{where}.id: {_shown(value)} is not a name.")
    return value


def no_others(obj: Mapping[str, Any], there_are: Collection[str]) -> None:
    """Raise ValueError for the first field of an object that is none of those that there are."""
    for name in obj:
        if name not in there_are:
            near = get_close_matches(str(name)[:_SHOWN], there_are, 1)
            meant = f"did you mean {near[0]}? " if near else ""
            refuse(str(name)[:_SHOWN], f"no such field; {meant}there are {', '.join(there_are)}.")


def names(value: object, where: str) -> tuple[str, ...]:
    """Return a list of ids as a tuple."""
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        refuse(where, "is not a list of ids.")
    return tuple(value)


def pairs(obj: Mapping[str, Any], key: str) -> Iterator[tuple[str, Any]]:
    """Yield the items of an optional object."""
    value = obj.get(key)
    if value is None:
        return
    if not isinstance(value, Mapping):
        refuse(key, "is not an object.")
    for name, item in value.items():
        yield str(name), item


def entries(obj: Mapping[str, Any], key: str, kind: type) -> Iterator[dict[str, Any]]:
    """Yield the fields of a dataclass for every object of a list; fields unknown to us are left.

    Raises ValueError when the list is missing or too long, a field that has no default is missing, or
    one that is left out seems to be misspelt.
    """
    listed = obj.get(key)
    if not isinstance(listed, list | tuple):
        refuse(key, "is missing, or not a list.")
    if len(listed) > MOST_ENTRIES:
        refuse(key, f"there are {len(listed):,}, and {MOST_ENTRIES:,} at most.")
    for number, entry in enumerate(listed):
        if not isinstance(entry, Mapping):
            refuse(f"{key}[{number}]", "is not an object.")
        where = f"{key}.{str(entry.get('id', number))[:_SHOWN]}"
        left_out = [field.name for field in fields(kind) if field.name not in entry]
        known = {field.name for field in fields(kind)}
        for name in entry.keys() - known:
            if near := get_close_matches(str(name)[:_SHOWN], left_out, 1, _ALIKE):
                refuse(f"{where}.{str(name)[:_SHOWN]}", f"no such field; did you mean {near[0]}?")
        for field in fields(kind):
            if field.name not in entry and field.default is MISSING:
                raise ValueError(f"{where}.{field.name}: is missing.")
        yield {field.name: entry[field.name] for field in fields(kind) if field.name in entry}


def unique(ids: list[str], where: str) -> set[str]:
    """Return the ids as a set; ValueError when one is there twice."""
    seen: set[str] = set()
    for item in ids:
        if item in seen:
            raise ValueError(f"{where}: the id {item!r} is there twice.")
        seen.add(item)
    return seen


def known(ids: Iterable[str], there: set[str], where: str, kind: str) -> None:
    """Raise ValueError for the first id that is not known."""
    for item in ids:
        if item not in there:
            raise ValueError(f"{where}: there is no {kind} {_shown(item)}.")
