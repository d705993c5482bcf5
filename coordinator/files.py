"""Writing files whole or not at all; and reading what people wrote, see `broker.files`."""

import json
from pathlib import Path
from typing import Any

from broker.files.file_model import read_model as read_config
from broker.files.strict_json import read_json
from broker.files.text import FileError

__all__ = ["FileError", "read_config", "read_json", "write_json", "write_text"]


def write_json(path: Path, value: Any) -> None:
    """Write a file whole or not at all."""
    write_text(path, json.dumps(value, indent=2) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
