"""Reading what people wrote: YAML and JSON files, with one plain sentence when they do not fit."""

import json
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from broker.first_fault import first_fault

M = TypeVar("M", bound=BaseModel)


class FileError(Exception):
    """A file that is missing or wrong, in one sentence that names it and the field."""


def read_json(path: Path) -> Any:
    """Return the JSON in a file.

    Raises:
        FileError: there is no such file, or it is no JSON.
    """
    try:
        return json.loads(_text(path))
    except json.JSONDecodeError as error:
        raise FileError(f"{path}: no JSON, line {error.lineno}: {error.msg}") from None


def read_config(path: Path, kind: type[M]) -> M:
    """Return the YAML in a file as ``kind``.

    Raises:
        FileError: there is no such file, it is no YAML, or a field is missing, wrong or unknown.
    """
    try:
        return kind.model_validate(yaml.safe_load(_text(path)))
    except yaml.YAMLError as error:
        raise FileError(f"{path}: no YAML ({' '.join(str(error).split())})") from None
    except ValidationError as error:
        fault = first_fault(error, "the file").replace(": Value error, ", ": ", 1)
        raise FileError(f"{path}: {fault}") from None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise FileError(f"{path}: no text") from None


def write_json(path: Path, value: Any) -> None:
    """Write a file whole or not at all."""
    write_text(path, json.dumps(value, indent=2) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
