"""What is asked for as an output is looked at before the work for it begins, and nothing is left."""

import errno
from pathlib import Path

import pytest

from broker.files.outputs import check_output_file, check_output_folder, make_state_folder
from broker.files.text import FileError


def test_a_file_that_could_not_be_written_is_named_with_its_option(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path, says in (
        (tmp_path / "x.foo", "end in one of .png, .svg"),
        (tmp_path / "none" / "x.png", "No such file or directory"),
        (tmp_path / "file" / "x.png", "Not a directory"),
        (Path("/proc/x.png"), "No such file or directory"),
    ):
        with pytest.raises(FileError, match=rf"^--plot .*{says}"):
            check_output_file("--plot", path, (".png", ".svg"))
    for path in (tmp_path, Path()):
        with pytest.raises(FileError, match="is a folder"):
            check_output_file("--log", path)
    for path in (tmp_path / "x.PNG", tmp_path / "file", Path("/dev/null")):
        check_output_file("--log", path)
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_a_state_folder_is_made_and_a_full_disk_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "state", Path("/proc/x")):
        with pytest.raises(FileError, match=f"^--state-dir {path}: "):
            make_state_folder("--state-dir", path)
    make_state_folder("--state-dir", tmp_path / "new" / "state")
    assert not list((tmp_path / "new" / "state").iterdir())

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", full)
    make_state_folder("--state-dir", tmp_path)


def test_a_folder_is_empty_or_ours_and_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "cats").mkdir()
    (tmp_path / "cats" / "1.png").write_text("")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text("")
    for name, says in (
        ("file", "is a file"),
        ("file/run", f"{tmp_path}/file is a file"),
        ("cats", "is not empty .there is 1.png in it"),
    ):
        with pytest.raises(FileError, match=rf"^--out .*{says}"):
            check_output_folder("--out", tmp_path / name, ("config.json",))
    with pytest.raises(FileError, match=r"^--out /proc/x: "):
        check_output_folder("--out", Path("/proc/x"))
    for name in ("run", "new", "new/er", "cats/new"):
        check_output_folder("--out", tmp_path / name, ("config.json",))
    assert not (tmp_path / "new").exists()
