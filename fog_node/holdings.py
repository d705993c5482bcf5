"""The artifacts of a fog node and the sessions made of them: wanted, in flight, loaded. Pure."""

from collections.abc import Iterable, Mapping
from typing import Final

from broker.actions import Publish
from broker.artifact_pulls import ArtifactPulls
from broker.codec import Chunk
from broker.messages import AssignedPartition
from broker.topics import NODE_GET
from fog_node.events import Action, Load, Loaded, Tidy, Unload

PULL_PATIENCE_S: Final = 20.0


class Holdings:
    """What is there of what the assignments need, artifact by artifact, named by its sha256."""

    def __init__(self, node: str, site: str) -> None:
        self._get_topic = NODE_GET.at(site, node=node)
        self._bytes: dict[str, int] = {}
        self._memory_bytes: dict[str, int] = {}
        self._sessions: dict[str, Loaded | None] = {}  # None while it is fetched and loaded
        self._here: set[str] = set()
        self._pulls = ArtifactPulls()

    @property
    def chunks(self) -> int:
        """Chunks that came so far."""
        return self._pulls.chunks

    @property
    def refused(self) -> int:
        """Artifacts that came corrupt so far."""
        return self._pulls.refused

    def want(self, parts: Mapping[str, AssignedPartition]) -> list[Action]:
        """Return the difference between the artifacts needed, by hash, and those at hand."""
        sizes = {sha256: part.bytes for sha256, part in parts.items()}
        self._memory_bytes = {sha256: part.memory_bytes for sha256, part in parts.items()}
        gone = self._sessions.keys() - sizes
        # What is not needed goes first: the memory may not be enough for both.
        actions: list[Action] = [Unload(sha256) for sha256 in sorted(gone)]
        actions += [self._load(sha256) for sha256 in sorted(sizes.keys() - self._sessions)]
        if gone:
            actions.append(Tidy(frozenset(sizes)))
        self._bytes = dict(sizes)
        self._sessions = {sha256: self._sessions.get(sha256) for sha256 in sizes}
        self._here &= sizes.keys()
        self._pulls.end(gone)
        return actions

    def _load(self, sha256: str, data: bytes | None = None) -> Load:
        return Load(sha256, data, self._memory_bytes.get(sha256, 0))

    def session(self, sha256: str) -> Loaded | None:
        """Return what is known of a loaded session."""
        return self._sessions.get(sha256)

    def fetched(self, hashes: Iterable[str]) -> bool:
        """Return whether all of these are on the disk."""
        return all(sha256 in self._here for sha256 in hashes)

    def found(self, sha256: str) -> None:
        """Take note that an artifact is on the disk."""
        if sha256 in self._sessions:
            self._here.add(sha256)

    def absent(self, sha256: str, now: float) -> list[Action]:
        """Begin the pull of an artifact that the disk does not have."""
        if sha256 not in self._sessions:
            return []
        self._pulls.begin(sha256, self._bytes[sha256])
        return self.requests(now)

    def take(self, chunk: Chunk, now: float) -> list[Action]:
        """Take a chunk: load what is whole, and ask for the next ones."""
        data = self._pulls.accept(chunk, now)
        loads: list[Action] = []
        if data is not None:
            self.found(chunk.sha256)
            loads = [self._load(chunk.sha256, data)]
        return loads + self.requests(now)

    def loaded(self, event: Loaded) -> None:
        """Take note of a session; :meth:`want` unloads it if nobody needs it any more."""
        self._sessions[event.sha256] = event
        self._here.add(event.sha256)

    def lose(self, sha256: str) -> None:
        """Forget an artifact that could not be had or loaded; who wants it again tries again."""
        self._sessions.pop(sha256, None)
        self._here.discard(sha256)
        self._pulls.end([sha256])

    def requests(self, now: float) -> list[Action]:
        """Return the requests for chunks that are next, or late."""
        return [Publish(self._get_topic, request.encode()) for request in self._pulls.requests(now)]

    def hopeless(self, now: float) -> dict[str, str]:
        """Return the artifacts that are pulled in vain, and why."""
        return self._pulls.hopeless(now, PULL_PATIENCE_S)
