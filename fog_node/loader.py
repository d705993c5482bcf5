"""What a fog node has on its disk and in its sessions; used by the one thread that loads."""

import logging
from collections.abc import Callable
from pathlib import Path

from broker.artifacts import ArtifactStore, ChunkGiver
from broker.messages import ArtifactRequest
from fog_node.events import Absent, Event, Found, Loaded, LoadFailed
from fog_node.runtime import OnnxSession, RuntimeFailureError

_log = logging.getLogger("fog-node")


class Loader:
    """Makes sessions of artifacts; a disk that fails costs the copy on it and nothing else."""

    def __init__(self, folder: Path, threads: int, tell: Callable[[Event], None]) -> None:
        self._store = ArtifactStore(folder)
        self._threads, self._tell = threads, tell
        self._giver = ChunkGiver(self._read)
        self.sessions: dict[str, OnnxSession] = {}
        self.failed = 0
        """How often the disk would not keep an artifact."""

    def load(self, sha256: str, data: bytes | None) -> None:
        """Make a session of an artifact that came (``data``), or of one that lies on the disk."""
        if data is not None:
            self._keep(data)
        else:
            data = self._read(sha256)
        if data is None:
            self._tell(Absent(sha256))
            return
        self._tell(Found(sha256))
        try:
            session = OnnxSession(data, self._threads)
            seconds = session.measure()
        except RuntimeFailureError as error:
            self._tell(LoadFailed(sha256, str(error)))
            return
        self.sessions[sha256] = session
        self._tell(Loaded(sha256, session.inputs, session.outputs, seconds))

    def unload(self, sha256: str) -> None:
        """Forget a session."""
        self.sessions.pop(sha256, None)

    def tidy(self, needed: frozenset[str]) -> None:
        """Give up artifacts that are too many."""
        try:
            self._store.give_up(needed)
        except OSError as error:
            self._complain("tidy up", error)

    def chunk(self, request: ArtifactRequest) -> bytes | None:
        """Return the payload of a chunk of an artifact on the disk, or None."""
        return self._giver.payload(request)

    def _keep(self, data: bytes) -> None:
        try:
            self._store.put(data)
        except OSError as error:
            self._complain("keep an artifact", error)

    def _read(self, sha256: str) -> bytes | None:
        try:
            return self._store.get(sha256)
        except OSError as error:
            self._complain("read an artifact", error)
            return None

    def _complain(self, what: str, error: OSError) -> None:
        self.failed += 1
        if self.failed == 1:
            _log.warning("cannot %s: %s; going on without the disk", what, error)
