"""The fields of a placement problem file, checked one by one; each error names its field."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, fields
from typing import Any, NoReturn


def refuse(where: str, why: str) -> NoReturn:
    """Raise ValueError with one line that names the field."""
    raise ValueError(f"{where}: {why}")


def amount(value: object, where: str, *, above_zero: bool = False) -> None:
    """Raise ValueError unless the value is a finite number that is not negative (or above zero)."""
    wanted = "above zero" if above_zero else "not negative"
    if isinstance(value, bool) or not isinstance(value, int | float):
        refuse(where, f"{value!r} is not a number.")
    if not math.isfinite(value) or value < 0 or (above_zero and value == 0):
        refuse(where, f"{value} is not a finite number that is {wanted}.")


def optional_amount(value: object, where: str) -> None:
    """Do the same for a number that may be left out (None)."""
    if value is not None:
        amount(value, where)


def identifier(value: object, where: str) -> str:
    """Return the id; ValueError unless it is text with something in it."""
    if not isinstance(value, str) or not value:
        raise ValueError(f"{where}.id: {value!r} is not a name.")
    return value


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

    Raises ValueError when the list is missing, or a field that has no default.
    """
    listed = obj.get(key)
    if not isinstance(listed, list | tuple):
        refuse(key, "is missing, or not a list.")
    for number, entry in enumerate(listed):
        if not isinstance(entry, Mapping):
            refuse(f"{key}[{number}]", "is not an object.")
        where = f"{key}.{entry.get('id', number)}"
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
            raise ValueError(f"{where}: there is no {kind} {item!r}.")
