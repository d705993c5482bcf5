"""What a coordinator keeps on the disk, and how it goes on when the disk fails.

The folder is a convenience: fog nodes and retained messages hold the same, so a disk that is full or
gone costs a line in the log. The artifacts used last are kept in memory as well, up to a limit.
"""

import errno
import json
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Final

from broker.artifacts import ArtifactStore, sha256_of
from broker.printable import printable
from coordinator.fog.failures import Failures

_log = logging.getLogger("fog-coordinator")
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
_MEMORY_BYTES: Final = 64 * 1024 * 1024


class StateError(Exception):
    """The state folder cannot be used, in one sentence."""


class StateFolder:
    """Deployments and artifacts. What fails is told to ``failures``; artifacts can be had from any thread.

    Raises:
        StateError: the folder cannot be made, and not because the disk is full.
    """

    def __init__(self, folder: Path, failures: Failures) -> None:
        self._folder, self._failures = folder, failures
        self._path = folder / "deployments.json"
        self._store = ArtifactStore(folder / "artifacts")
        self._lock = threading.Lock()
        self._in_memory: OrderedDict[str, bytes] = OrderedDict()
        self._needed: frozenset[str] = frozenset()
        self._state: dict[str, Any] | None = None
        self._saved = True
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            if error.errno not in _FULL:
                raise StateError(f"--state-dir {folder}: {error.strerror}") from None
            self._fail("make", error)

    def has(self, sha256: str, size: int) -> bool:
        """Return whether an artifact is here, by name and size; only :meth:`artifact` looks into it."""
        with self._lock:
            return sha256 in self._in_memory or self._store.has(sha256, size)

    def artifact(self, sha256: str) -> bytes | None:
        """Return an artifact, or None where it is missing or corrupt."""
        with self._lock:
            data = self._in_memory.get(sha256)
            if data is None:
                try:
                    data = self._store.get(sha256)
                except OSError as error:
                    self._fail("read an artifact from", error)
            if data is not None:
                self._remember(sha256, data)
            return data

    def keep(self, data: bytes) -> None:
        """Keep an artifact, in memory alone where the disk does not take it."""
        with self._lock:
            self._remember(sha256_of(data), data)
            self._put(data)

    def _remember(self, sha256: str, data: bytes) -> None:
        self._in_memory[sha256] = data
        self._in_memory.move_to_end(sha256)
        while sum(map(len, self._in_memory.values())) > _MEMORY_BYTES:
            self._in_memory.popitem(last=False)

    def save(self, state: dict[str, Any], artifacts: Collection[str]) -> None:
        """Write the state whole or not at all; what fails is tried again by :meth:`retry`."""
        self._state, self._saved, self._needed = state, False, frozenset(artifacts)
        self.retry()
        with self._lock:
            try:
                self._store.give_up(self._needed)
            except OSError as error:
                self._fail("tidy up", error)

    def retry(self) -> None:
        """Write what could not be written before, and what somebody removed since."""
        with self._lock:
            for sha256, data in self._in_memory.items():
                needed = sha256 in self._needed and not self._store.has(sha256, len(data))
                if needed and not self._put(data):
                    break
        if self._state is None or (self._saved and self._path.exists()):
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            part = self._path.with_suffix(".part")
            part.write_text(json.dumps(self._state), encoding="utf-8")
            part.replace(self._path)
        except OSError as error:
            self._fail("save to", error)
        else:
            self._saved = True

    def restored(self, restore: Callable[[Mapping[str, Any]], None]) -> None:
        """Have what an earlier run kept taken up; what is damaged is put aside.

        Raises:
            StateError: it is there and cannot be read.
        """
        try:
            text = self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return
        except UnicodeDecodeError as error:
            self._put_aside(error)
            return
        except OSError as error:
            raise StateError(f"{self._path}: cannot be read ({error.strerror})") from None
        try:
            restore(json.loads(text))
        except Exception as error:  # noqa: BLE001  whatever it does, it is to do it once
            self._put_aside(error)

    def _put_aside(self, error: Exception) -> None:
        aside = self._path.with_suffix(".damaged")
        try:
            self._path.replace(aside)
        except OSError as problem:
            raise StateError(f"{self._path}: damaged ({problem.strerror})") from None
        why = printable(" ".join(str(error).split()), 200)
        _log.error("%s is damaged and now %s; nothing of it is known (%s)", self._path, aside, why)

    def _put(self, data: bytes) -> bool:
        try:
            self._store.put(data)
        except OSError as error:
            self._fail("keep an artifact in", error)
            return False
        return True

    def _fail(self, what: str, error: OSError) -> None:
        why = error.strerror or str(error)
        self._failures.note("disk_failed", f"cannot {what} {self._folder}: {why}; going on without")
