"""What a coordinator keeps on the disk: a convenience, whose loss costs nothing that is in memory."""

import errno
import logging
import shutil
from pathlib import Path

import pytest

from broker.artifacts import sha256_of
from coordinator.fog.failures import LOG_EVERY_S, Failures
from coordinator.fog.state_folder import StateError, StateFolder

DATA = b"the partition"
SHA256 = sha256_of(DATA)


@pytest.fixture
def failures() -> Failures:
    return Failures(logging.getLogger("test"))


def test_a_corrupt_copy_is_no_loss_while_there_is_one_in_memory(
    tmp_path: Path, failures: Failures
) -> None:
    folder = StateFolder(tmp_path, failures)
    folder.keep(DATA)
    (tmp_path / "artifacts" / SHA256).write_bytes(b"something else")
    assert folder.artifact(SHA256) == DATA


def test_what_somebody_removed_is_written_again(tmp_path: Path, failures: Failures) -> None:
    folder = StateFolder(tmp_path / "state", failures)
    folder.keep(DATA)
    folder.save({"deployments": []}, [SHA256])
    shutil.rmtree(tmp_path / "state")
    assert folder.has(SHA256, len(DATA))
    folder.retry()
    assert (tmp_path / "state" / "artifacts" / SHA256).read_bytes() == DATA
    assert (tmp_path / "state" / "deployments.json").exists()
    assert failures.totals == {}


def test_what_is_neither_on_the_disk_nor_in_memory_is_missing(
    tmp_path: Path, failures: Failures
) -> None:
    StateFolder(tmp_path, failures).keep(DATA)
    again = StateFolder(tmp_path, failures)
    assert again.has(SHA256, len(DATA))
    (tmp_path / "artifacts" / SHA256).write_bytes(b"the pxrtition")
    assert again.artifact(SHA256) is None
    assert not again.has(SHA256, len(DATA))


def test_a_disk_that_is_full_at_the_start_ends_nothing_and_a_wrong_folder_does(
    tmp_path: Path, failures: Failures, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "file").touch()
    with pytest.raises(StateError, match="--state-dir"):
        StateFolder(tmp_path / "file", failures)
    monkeypatch.setattr(Path, "mkdir", full)
    folder = StateFolder(tmp_path / "state", failures)
    folder.keep(DATA)
    folder.save({}, [SHA256])
    assert folder.artifact(SHA256) == DATA
    assert failures.totals["disk_failed"] >= 3


def test_failures_are_counted_always_and_logged_once_a_minute(
    failures: Failures, caplog: pytest.LogCaptureFixture
) -> None:
    for second in range(3):
        failures.note("disk_failed", f"cannot save, {second}")
        failures.log_due(float(second))
    assert caplog.messages == ["disk failed: cannot save, 0"]
    failures.log_due(LOG_EVERY_S)
    assert caplog.messages[1:] == ["disk failed: cannot save, 2 (2 times)"]
    failures.log_due(3 * LOG_EVERY_S)
    assert len(caplog.messages) == 2
    assert failures.totals == {"disk_failed": 3}
