"""What a coordinator keeps on the disk, and how it goes on when the disk fails.

The folder is a convenience: fog nodes and retained messages hold the same, so a disk that is full or
gone costs a line in the log. The artifacts used last are kept in memory as well, up to a limit.
"""

import json
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from broker.artifacts import ArtifactStore, sha256_of

T = TypeVar("T")

_log = logging.getLogger("fog-coordinator")
_MEMORY_BYTES: Final = 64 * 1024 * 1024
_COMPLAINT_S: Final = 60.0


class StateError(Exception):
    """The state folder cannot be used, in one sentence."""


class StateFolder:
    """Deployments and artifacts.

    Raises:
        StateError: the folder cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / "deployments.json"
        try:
            self._store = ArtifactStore(folder / "artifacts")
        except OSError as error:
            raise StateError(f"--state-dir {folder}: {error.strerror}") from None
        self._lock = threading.Lock()  # guards what is in memory
        self._in_memory: OrderedDict[str, bytes] = OrderedDict()
        self._unsaved: tuple[dict[str, Any], frozenset[str]] | None = None
        self._complained_at: float | None = None

    def has(self, sha256: str) -> bool:
        """Return whether an artifact is here, whole."""
        return self.artifact(sha256) is not None

    def artifact(self, sha256: str) -> bytes | None:
        """Return an artifact, or None where it is missing or corrupt; safe from any thread."""
        data = self._in_memory.get(sha256)
        if data is None:
            try:
                data = self._store.get(sha256)
            except OSError as error:
                self._complain("read an artifact from", error)
        if data is not None:
            self._remember(sha256, data)
        return data

    def keep(self, data: bytes) -> None:
        """Keep an artifact, in memory alone where the disk does not take it."""
        self._remember(sha256_of(data), data)
        try:
            self._store.put(data)
        except OSError as error:
            self._complain("keep an artifact in", error)

    def _remember(self, sha256: str, data: bytes) -> None:
        with self._lock:
            self._in_memory[sha256] = data
            self._in_memory.move_to_end(sha256)
            while sum(map(len, self._in_memory.values())) > _MEMORY_BYTES:
                self._in_memory.popitem(last=False)

    def save(self, state: dict[str, Any], artifacts: Collection[str]) -> None:
        """Write the state whole or not at all; what fails is tried again by :meth:`retry`."""
        self._unsaved = (state, frozenset(artifacts))
        self.retry()

    def retry(self) -> None:
        """Write what could not be written before."""
        if self._unsaved is None:
            return
        state, artifacts = self._unsaved
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._store.give_up(artifacts)
            part = self._path.with_suffix(".part")
            part.write_text(json.dumps(state), encoding="utf-8")
            part.replace(self._path)
        except OSError as error:
            self._complain("save to", error)
        else:
            self._unsaved = None

    def restored(self, restore: Callable[[Mapping[str, Any]], list[T]]) -> list[T]:
        """Have what an earlier run kept taken up; what is damaged is put aside.

        Raises:
            StateError: it is there and cannot be read.
        """
        try:
            text = self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        except UnicodeDecodeError as error:
            return self._put_aside(error)
        except OSError as error:
            raise StateError(f"{self._path}: cannot be read ({error.strerror})") from None
        try:
            return restore(json.loads(text))
        except ValueError as error:
            return self._put_aside(error)

    def _put_aside(self, error: ValueError) -> list[Any]:
        aside = self._path.with_suffix(".damaged")
        try:
            self._path.replace(aside)
        except OSError as problem:
            raise StateError(f"{self._path}: damaged ({problem.strerror})") from None
        why = " ".join(str(error).split())[:200]
        _log.error("%s is damaged and now %s; nothing of it is known (%s)", self._path, aside, why)
        return []

    def _complain(self, what: str, error: OSError) -> None:
        now = time.monotonic()
        if self._complained_at is None or now - self._complained_at >= _COMPLAINT_S:
            _log.warning("cannot %s %s: %s; going on without", what, self._folder, error.strerror)
            self._complained_at = now
