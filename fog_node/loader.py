"""What a fog node has on its disk and in its sessions; used by the one thread that loads."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from broker.artifacts import ArtifactStore, ChunkGiver
from broker.bus.allocator import give_back_free_memory
from broker.graph.check import Needs, check_graph
from broker.graph.onnx_file import GraphError
from broker.messages import ArtifactRequest
from fog_node.events import Absent, Event, Found, Load, Loaded, LoadFailed
from fog_node.quarantine import Quarantine
from fog_node.runtime import OnnxSession, RuntimeFailureError
from fog_node.watchdog import Watchdog, Watched

_log = logging.getLogger("fog-node")

_LOAD_S: Final = 4.0
_INEFFICIENCY: Final = 10.0
"""How much longer than a plain convolution of as many multiply-accumulates a graph may take."""
_LONGEST_RUN_S: Final = 3.0
"""What a run may take at the speed of a plain convolution: a stream of one frame in several seconds is none."""
_LEAST_MACS: Final = 2e9
"""What is run on a device however slow it is, or measured that it was."""
_MOST_GROWTH: Final = 4
_GROWTH_BYTES: Final = 64 * 1024 * 1024
"""What a process may grow by while it loads something: so much, and a few times what was stated."""


class Loader:
    """Makes sessions of artifacts; a disk that fails costs the copy on it and nothing else.

    An artifact is a stranger's: it is looked at before onnxruntime sees it, and watched from then on.
    """

    def __init__(
        self,
        folder: Path,
        threads: int,
        watchdog: Watchdog,
        quarantine: Quarantine,
        tell: Callable[[Event], None],
    ) -> None:
        self._store = ArtifactStore(folder)
        self._threads, self._tell = threads, tell
        self._watchdog, self._quarantine = watchdog, quarantine
        self._giver = ChunkGiver(self._read)
        self.macs_per_s = 0.0
        """The speed of this device, once it is known."""
        self.sessions: dict[str, OnnxSession] = {}
        self.seconds: dict[str, float] = {}
        """What a run of each takes."""
        self.failed = 0
        """How often the disk would not keep an artifact."""

    def load(self, wanted: Load) -> None:
        """Make a session of an artifact that came with the wish, or of one that lies on the disk."""
        sha256, data = wanted.sha256, wanted.data
        if data is not None:
            self._keep(data)
        else:
            data = self._read(sha256)
        if data is None:
            self._tell(Absent(sha256))
            return
        self._tell(Found(sha256))
        try:
            session, seconds = self._session(sha256, data, wanted.memory_bytes)
        except (GraphError, RuntimeFailureError) as error:
            self._tell(LoadFailed(sha256, str(error)))
        except Exception as error:  # noqa: BLE001 - whoever waits for it has to hear of it
            _log.warning("artifact %s cannot be loaded", sha256[:12], exc_info=True)
            self._tell(LoadFailed(sha256, f"cannot be loaded ({type(error).__name__})"))
        else:
            self.sessions[sha256], self.seconds[sha256] = session, seconds
            self._tell(
                Loaded(sha256, session.inputs, session.outputs, seconds, shapes=session.shapes)
            )

    def _session(self, sha256: str, data: bytes, memory_bytes: int) -> tuple[OnnxSession, float]:
        """Check, load and measure; what does not end or takes too much memory is not touched for a while."""
        if reason := self._quarantine.reason(sha256):
            raise RuntimeFailureError(reason)
        needs = check_graph(data, memory_bytes, max(_LEAST_MACS, self.macs_per_s * _LONGEST_RUN_S))
        watched = Watched(
            f"artifact {sha256[:12]}",
            sha256,
            self._limit_s(needs),
            _MOST_GROWTH * memory_bytes + _GROWTH_BYTES,
        )
        self._quarantine.begin(sha256)
        try:
            with self._watchdog.over(watched):
                session = OnnxSession(data, self._threads, watched)
                seconds = session.measure(watched)
                if greed := watched.greed():
                    watched.tell(greed)
        except RuntimeFailureError:
            if not watched.reason:
                raise
        finally:
            self._quarantine.ended(sha256)
        if watched.reason:
            self._quarantine.condemn(sha256, watched.reason)
            raise RuntimeFailureError(watched.reason)
        return session, seconds

    def _limit_s(self, needs: Needs) -> float:
        """Return the processor seconds that loading may take, and measuring again."""
        if not self.macs_per_s:
            return _LOAD_S
        return _LOAD_S + _INEFFICIENCY * needs.macs / self.macs_per_s

    def unload(self, sha256: str) -> None:
        """Forget a session."""
        self.sessions.pop(sha256, None)
        self.seconds.pop(sha256, None)
        give_back_free_memory()

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
