"""The artifacts of a fog node and the sessions made of them: wanted, under way, loaded. Pure."""

from collections.abc import Iterable, Mapping
from typing import Final

from broker.artifacts import ArtifactPull
from broker.codec import Chunk
from broker.topics import ARTIFACT_GET
from fog_node.events import Action, Load, Loaded, Publish, Unload

PULL_PATIENCE_S: Final = 10.0
REFUSALS: Final = 5
"""So often an artifact may arrive corrupt before it is given up."""


class Inventory:
    """What is there of what the assignments need, artifact by artifact, named by its sha256."""

    def __init__(self, node: str, site: str) -> None:
        self.refused = 0
        self._node, self._get_topic = node, ARTIFACT_GET.at(site)
        self._bytes: dict[str, int] = {}
        self._sessions: dict[str, Loaded | None] = {}  # None while it is fetched and loaded
        self._pulls: dict[str, ArtifactPull] = {}

    def want(self, sizes: Mapping[str, int]) -> list[Action]:
        """Return the difference between the artifacts needed, with their bytes, and those at hand."""
        actions: list[Action] = [Load(sha256) for sha256 in sorted(sizes.keys() - self._sessions)]
        actions += [Unload(sha256) for sha256 in sorted(self._sessions.keys() - sizes)]
        self._bytes = dict(sizes)
        self._sessions = {sha256: self._sessions.get(sha256) for sha256 in sizes}
        self._pulls = {sha256: pull for sha256, pull in self._pulls.items() if sha256 in sizes}
        return actions

    def session(self, sha256: str) -> Loaded | None:
        """Return what is known of a loaded session."""
        return self._sessions.get(sha256)

    def fetching(self, hashes: Iterable[str]) -> bool:
        """Return whether one of these is still being pulled."""
        return any(sha256 in self._pulls for sha256 in hashes)

    def absent(self, sha256: str, now: float) -> list[Action]:
        """Begin the pull of an artifact that the disk does not have."""
        if sha256 not in self._sessions:
            return []
        pull = self._pulls[sha256] = ArtifactPull(sha256, self._bytes[sha256], self._node)
        return self._requests(pull, now)

    def take(self, chunk: Chunk, now: float) -> list[Action]:
        """Take a chunk: ask for the next ones, or load what is whole."""
        pull = self._pulls.get(chunk.sha256)
        if pull is None:
            return []
        refused = pull.refused
        data = pull.accept(chunk, now)
        self.refused += pull.refused - refused
        if data is None:
            return self._requests(pull, now)
        del self._pulls[chunk.sha256]
        return [Load(chunk.sha256, data)]

    def loaded(self, event: Loaded) -> None:
        """Take note of a session; :meth:`want` unloads it if nobody needs it any more."""
        self._sessions[event.sha256] = event

    def lose(self, sha256: str) -> None:
        """Forget an artifact that could not be had or loaded; who wants it again tries again."""
        self._sessions.pop(sha256, None)

    def late(self, now: float) -> list[Action]:
        """Return the requests for chunks that are late."""
        return [action for pull in self._pulls.values() for action in self._requests(pull, now)]

    def hopeless(self, now: float) -> dict[str, str]:
        """Return the artifacts that are pulled in vain, and why."""
        return {
            sha256: "what comes is not the artifact of this hash"
            if pull.refused >= REFUSALS
            else "nobody sent the artifact"
            for sha256, pull in self._pulls.items()
            if pull.refused >= REFUSALS or pull.stalled(now, PULL_PATIENCE_S)
        }

    def _requests(self, pull: ArtifactPull, now: float) -> list[Action]:
        if pull.refused >= REFUSALS:
            return []
        return [Publish(self._get_topic, request.encode()) for request in pull.requests(now)]
