"""JSON as the standard has it: no field twice, no NaN, no number out of the range of a float."""

import json
import math
from pathlib import Path
from typing import Any, Final, NoReturn

from broker.files.nesting import TOO_DEEP, check_nesting
from broker.files.text import FileError, read_text
from broker.printable import printable

MOST_DIGITS: Final = 400
_SHOWN: Final = 80


def parse_json(text: str | bytes) -> Any:
    """Return the value that ``text`` spells.

    Raises:
        ValueError: it is no JSON, or not strictly; one sentence that names the line or the field.
    """
    if not text.strip():
        raise ValueError("is empty")
    try:
        value = json.loads(
            text,
            object_pairs_hook=_each_once,
            parse_constant=_no_number,
            parse_float=_finite,
            parse_int=_whole,
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"no JSON, line {error.lineno}: {error.msg}") from None
    except UnicodeDecodeError:
        raise ValueError("no text in UTF-8") from None
    except RecursionError:
        raise ValueError(TOO_DEEP) from None
    check_nesting(value)
    return value


def read_json(path: Path) -> Any:
    """Return the JSON in a file.

    Raises:
        FileError: there is no such file, or it is no JSON as `parse_json` wants it.
    """
    try:
        return parse_json(read_text(path))
    except ValueError as error:
        raise FileError(f"{path}: {error}") from None


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise ValueError(f"{printable(name, _SHOWN)}: is there twice")
            seen.add(name)
    return fields


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{printable(text, _SHOWN)} is out of range")
    return number


def _whole(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise ValueError(f"a number of {len(text):,} digits is out of range")
    return int(text)
