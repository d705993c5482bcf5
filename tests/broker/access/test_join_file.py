from pathlib import Path

import pytest

from broker.access.join_file import JoinFile, JoinFileError

JOINED = JoinFile(
    role="node",
    id="pi-hall",
    site="home",
    broker="mqtts://192.168.1.10:8883",
    user="node/pi-hall",
    password="correct horse",  # noqa: S106 - made up
    ca="-----BEGIN CERTIFICATE-----",
    operator_key="ab" * 32,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "pi-hall.join"
    JOINED.write(path)
    return path


def test_a_device_reads_back_what_was_written_for_it(path: Path) -> None:
    assert JoinFile.read(path, "node") == JOINED
    assert path.stat().st_mode & 0o777 == 0o600


def test_no_text_of_it_shows_the_password(path: Path) -> None:
    assert "correct horse" not in repr(JOINED) + str(JOINED) + repr(JOINED.credentials)
    path.write_text(path.read_text().replace('"node"', '"correct horse"'))
    with pytest.raises(JoinFileError) as told:
        JoinFile.read(path)
    assert "role" in str(told.value)
    assert "correct horse" not in str(told.value)


def test_it_is_never_overwritten(path: Path) -> None:
    with pytest.raises(JoinFileError, match="exists"):
        JOINED.write(path)


@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_one_that_others_can_read_is_refused(path: Path, mode: int) -> None:
    path.chmod(mode)
    with pytest.raises(JoinFileError, match="chmod 600"):
        JoinFile.read(path)


def test_one_of_another_role_is_refused(path: Path) -> None:
    with pytest.raises(JoinFileError, match="of a node; this wants one of a camera"):
        JoinFile.read(path, "camera")
    with pytest.raises(
        JoinFileError, match=r"one of an operator or a reader: .* enrol operator ID"
    ):
        JoinFile.read(path, "operator", "reader")


@pytest.mark.parametrize("text", ["{}", "[]", '{"format": 2}', "\0" * 1000])
def test_what_is_no_join_file_is_refused_in_one_line(path: Path, text: str) -> None:
    path.write_text(text)
    with pytest.raises(JoinFileError, match="is not a join file") as told:
        JoinFile.read(path)
    assert "\n" not in str(told.value)


def test_an_empty_one_is_what_a_pipe_leaves_of_an_enrolment_that_was_refused(path: Path) -> None:
    path.write_text("")
    with pytest.raises(JoinFileError, match="is empty: fog-broker enrol gave nothing"):
        JoinFile.read(path)


def test_one_that_is_too_large_is_refused(path: Path) -> None:
    path.write_text(" " * 100_000)
    with pytest.raises(JoinFileError, match="more than 65536 bytes"):
        JoinFile.read(path)


def test_one_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JoinFileError, match="No such file"):
        JoinFile.read(tmp_path / "none.join")
