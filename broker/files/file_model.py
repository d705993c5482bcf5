"""A file of named fields as a value: what is misspelt is told with what may have been meant."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from broker.files.strict_json import read_json
from broker.files.strict_yaml import read_yaml
from broker.files.text import FileError
from broker.first_fault import first_fault
from broker.printable import printable

M = TypeVar("M", bound=BaseModel)
_SHOWN: Final = 80
_VALUE: Final = "Value error, "


class FileModel(BaseModel):
    """Fields of a file that a person writes; one that is not among them is refused by its name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _names_are_fields(cls, value: Any) -> Any:
        if isinstance(value, Mapping):
            check_names(value, cls.model_fields)
        return value


def check_names(names: Iterable[object], known: Iterable[str]) -> None:
    """Refuse the first name that is no field's.

    Raises:
        ValueError: there is one; the sentence says which fields there are, and which is most like it.
    """
    known = list(known)
    for name in names:
        if name not in known:
            raise ValueError(no_such(name, known))


def no_such(name: object, known: Iterable[str]) -> str:
    """Say that no field is called so, which may have been meant, and which there are."""
    fields = sorted(known)
    shown = printable(str(name), _SHOWN)
    near = get_close_matches(shown, fields, 1)
    meant = f"did you mean {near[0]}? " if near else ""
    return f"{shown}: no such field; {meant}there are {', '.join(fields)}"


def read_model(path: Path, kind: type[M]) -> M:
    """Return the YAML in a file as ``kind``, or the JSON in one that ends in ``.json``.

    Raises:
        FileError: there is no such file, it cannot be parsed, or a field is missing, wrong or unknown.
    """
    value = read_json(path) if path.suffix == ".json" else read_yaml(path)
    if not isinstance(value, dict):
        raise FileError(f"{path}: has no fields; write one a line, name: value")
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        fault = first_fault(error, "").replace(_VALUE, "", 1).removeprefix(": ")
        raise FileError(f"{path}: {printable(fault, 1000)}") from None
