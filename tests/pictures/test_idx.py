"""IDX files are read as their header says, or refused with a sentence that names the file."""

from pathlib import Path

import numpy as np
import pytest

from pictures.errors import DatasetError
from pictures.idx import read_idx
from tests.pictures.made_pictures import write_idx

PIXELS = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)


@pytest.mark.parametrize("name", ["plain", "packed.gz"])
def test_what_was_written_is_read(tmp_path: Path, name: str) -> None:
    write_idx(tmp_path / name, PIXELS)
    assert np.array_equal(read_idx(tmp_path / name), PIXELS)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not an IDX file"),
        (b"\x89PNG\r\n", "not an IDX file"),
        (b"\0\0\x0d\1" + b"\0\0\0\1" + b"\0\0\0\0", "type 0x0d"),
        (b"\0\0\x08\x09", "9 dimensions"),
        (b"\0\0\x08\2\0\0\0\1", "truncated in its header"),
        (b"\0\0\x08\1\0\0\0\5abc", "truncated, 3 of 5 bytes"),
        (b"\0\0\x08\1\0\0\0\2abc", "longer than the 2 bytes"),
        (b"\0\0\x08\3" + b"\xff" * 12, "more than is sound"),
    ],
)
def test_a_bad_file_is_refused_by_name(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "labels-idx1-ubyte"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=reason) as refused:
        read_idx(path)
    assert str(path) in str(refused.value)


def test_a_torn_or_false_gzip_file_is_refused(tmp_path: Path) -> None:
    whole, torn, false = (tmp_path / name for name in ("whole.gz", "torn.gz", "false.gz"))
    write_idx(whole, PIXELS)
    torn.write_bytes(whole.read_bytes()[:-12])
    false.write_bytes(b"no gzip at all")
    with pytest.raises(DatasetError, match=r"torn\.gz"):
        read_idx(torn)
    with pytest.raises(DatasetError, match=r"false\.gz"):
        read_idx(false)
    with pytest.raises(DatasetError, match="no such file"):
        read_idx(tmp_path / "absent")
