"""Whatever a file holds, it is read as what it says, or refused in one sentence that names it."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.files.file_model import FileModel, read_model
from broker.files.strict_json import parse_json, read_json
from broker.files.strict_yaml import read_yaml
from broker.files.text import FileError, read_text

Read = Callable[[Path], Any]


class Zone(FileModel):
    left: float = 0.0
    width: float = 1.0


class Settings(FileModel):
    source: str
    frames: int = 1
    zone: Zone = Zone()


def written(folder: Path, content: str | bytes, name: str = "file") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refused(path: Path, read: Read = read_json) -> str:
    with pytest.raises(FileError) as raised:
        read(path)
    said = str(raised.value)
    assert said.startswith(f"{path}: ")
    assert said.isprintable()
    assert len(said) < 1000
    return said.removeprefix(f"{path}: ")


@pytest.mark.parametrize("read", [read_json, read_yaml])
def test_what_no_text_is_expected_of_is_named_and_nothing_is_waited_for(
    tmp_path: Path, read: Read
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert refused(tmp_path / "none", read) == "No such file or directory"
    assert refused(tmp_path, read) == "Is a directory"
    assert refused(pipe, read) == "is empty"
    assert refused(Path("/dev/zero"), read).startswith("more than")
    assert "UTF-8 (byte 0)" in refused(written(tmp_path, "a: 1".encode("utf-16")), read)
    assert "UTF-8" in refused(written(tmp_path, bytes(range(256))), read)
    for nothing in ("", " \n"):
        assert refused(written(tmp_path, nothing), read) == "is empty"
    assert "nested" in refused(written(tmp_path, "[" * 100_000 + "]" * 100_000), read)
    assert "nested" in refused(written(tmp_path, "[" * 65 + "1" + "]" * 65), read)
    assert read(written(tmp_path, "[" * 64 + "1" + "]" * 64))
    assert read(written(tmp_path, b'\xef\xbb\xbf{"a": 1}')) == {"a": 1}


def test_a_pipe_that_somebody_writes_to_is_read_to_its_end() -> None:
    ours, theirs = os.pipe()
    os.write(theirs, b'{"a": 1}')
    os.close(theirs)
    assert read_json(Path(f"/dev/fd/{ours}")) == {"a": 1}
    os.close(ours)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[1, 2", "no JSON, line 1"),
        ("{}\n{}", "no JSON, line 2"),
        ('{"a": 1, "a": 1}', "a: is there twice"),
        ('[{"b": {"a\\u001b": 1, "a\\u001b": 2}}]', "a\\x1b: is there twice"),
        ('{"a": NaN}', "NaN is not a number"),
        ('{"a": -Infinity}', "-Infinity is not a number"),
        ('{"a": 1e999}', "1e999 is out of range"),
        ("9" * 500, "a number of 500 digits"),
        ("[" + "[]," * 1_000_001 + "1]", "1,000,000 lists"),
    ],
)
def test_json_is_what_the_standard_says(tmp_path: Path, text: str, says: str) -> None:
    assert says in refused(written(tmp_path, text))


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=20,
)


@given(plain)
def test_what_is_written_is_read(value: Any) -> None:
    import json

    assert parse_json(json.dumps(value)) == value


BOMB = "a0: &a0 [1, 1]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: [1", "no YAML, line"),
        ("a: 1\n---\na: 2", "no YAML, line"),
        ("a: 1\nb: {c: 2}\na: 3", "line 3: a: is there twice, first in line 1"),
        ("b: {c: 2, d: 1, c: 3}", "line 1: c: is there twice"),
        ("a: !!python/object/apply:os.system [date]", "no YAML, line 1"),
        ("a: !!bool 7", "no YAML"),
        ("a: " + "9" * 5000, "digits"),
        ("a: 2020-99-99", "month"),
        ("a: &a [*a]", "nested"),
        (BOMB, "1,000,000 lists"),
        ("a\tb:\tc\n\td", "no YAML"),
        ("# nothing\n", "is empty"),
    ],
)
def test_yaml_has_no_surprises(tmp_path: Path, text: str, says: str) -> None:
    assert says in refused(written(tmp_path, text), read_yaml)


def test_what_is_used_twice_in_yaml_may_be_overridden(tmp_path: Path) -> None:
    text = "one: &one {rate: 1, epochs: 2}\ntwo: {<<: *one, rate: 3}\nthree: *one"
    one = {"rate": 1, "epochs": 2}
    read = read_yaml(written(tmp_path, text))
    assert read == {"one": one, "two": {**one, "rate": 3}, "three": one}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("souce: a", "souce: no such field; did you mean source? there are frames, source, zone"),
        ("source: a\nzone: {lift: 1}", "zone: lift: no such field; did you mean left?"),
        ("source: a\n5: 1", "5: no such field; there are"),
        ("source: a\nframes: many", "frames: "),
        ("frames: 1", "source: "),
        ("- source: a", "has no fields"),
        ("hello", "has no fields"),
    ],
)
def test_a_field_that_is_wrong_is_named_with_those_that_there_are(
    tmp_path: Path, text: str, says: str
) -> None:
    path = written(tmp_path, text, "cameras.yaml")
    assert says in refused(path, lambda path: read_model(path, Settings))


def test_a_name_that_no_file_can_have_is_one_line() -> None:
    with pytest.raises(FileError, match="null byte"):
        read_text(Path("a\0b"))
