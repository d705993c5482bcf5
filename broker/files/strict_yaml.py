"""YAML without surprises: no field twice, no value of a program's types, nothing that grows when it is read."""

from pathlib import Path
from typing import Any, Final

import yaml

from broker.files.nesting import TOO_DEEP, check_nesting
from broker.files.strict_json import MOST_DIGITS
from broker.files.text import FileError, read_text
from broker.printable import printable

_MOST_BYTES: Final = 256 * 1024
"""The parser takes seconds for this; what people write by hand is a hundredth of it."""


class _Loader(yaml.SafeLoader):
    """Plain values only; a field that is there twice is an error, as in `strict_json`."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """Look at the keys as they are written, before ``<<`` brings others."""
        node: yaml.MappingNode = super().compose_mapping_node(anchor)
        lines: dict[tuple[str, str], int] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            name, line = (key.tag, key.value), key.start_mark.line + 1
            if name in lines:
                raise ValueError(
                    f"line {line}: {printable(key.value, 80)}: is there twice, first in line {lines[name]}"
                )
            lines[name] = line
        return node

    def construct_yaml_int(self, node: Any) -> int:
        """Refuse numbers that take Python long to read, in words that a person understands."""
        if len(node.value) > MOST_DIGITS:
            raise ValueError(
                f"line {node.start_mark.line + 1}: a number of {len(node.value):,} digits is out of range"
            )
        number: int = super().construct_yaml_int(node)
        return number


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)


def read_yaml(path: Path) -> Any:
    """Return the value that a YAML file spells.

    Raises:
        FileError: there is no such file, it is no YAML, a field is there twice, or nothing is in it.
    """
    text = read_text(path, _MOST_BYTES)
    try:
        value = yaml.load(text, _Loader)  # noqa: S506 - it is a SafeLoader
        check_nesting(value)
    except yaml.YAMLError as error:
        raise FileError(f"{path}: no YAML, {_where(error)}") from None
    except RecursionError:
        raise FileError(f"{path}: {TOO_DEEP}") from None
    except ValueError as error:
        raise FileError(f"{path}: {error}") from None
    except Exception as error:  # noqa: BLE001 - a value that is not of its tag, such as !!bool 7, raises anything
        raise FileError(f"{path}: no YAML ({type(error).__name__}: {error})") from None
    if value is None:
        raise FileError(f"{path}: is empty")
    return value


def _where(error: yaml.YAMLError) -> str:
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    if mark is None or problem is None:
        return " ".join(str(error).split())
    return f"line {mark.line + 1}: {problem}"
