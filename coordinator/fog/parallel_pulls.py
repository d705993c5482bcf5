"""Pulls side by side, those of each deployment for themselves: what nobody has holds up no other; pure."""

from collections.abc import Callable, Collection, Sequence

from broker.artifact_pulls import ArtifactPulls
from broker.codec import Chunk
from broker.messages import ArtifactRequest


class ParallelPulls:
    """The pulls by group. Each has a window, a timeout and a patience of its own, and its own word on sizes."""

    def __init__(self) -> None:
        self._groups: dict[str, ArtifactPulls] = {}

    def __contains__(self, sha256: object) -> bool:
        return any(sha256 in pulls for pulls in self._groups.values())

    def __len__(self) -> int:
        return sum(map(len, self._groups.values()))

    def pulls(self, group: str, sha256: str) -> bool:
        """Return whether an artifact is being pulled for a group."""
        return group in self._groups and sha256 in self._groups[group]

    def begin(self, group: str, sha256: str, total: int, holders: Sequence[str]) -> None:
        """Pull an artifact of ``total`` bytes for a group."""
        self._groups.setdefault(group, ArtifactPulls()).begin(sha256, total, holders)

    def offer(self, holders: Callable[[str], Sequence[str]]) -> None:
        """Ask those from now on who may have what is being pulled."""
        for pulls in self._groups.values():
            for sha256 in pulls.hashes:
                pulls.offer(sha256, holders(sha256))

    def requests(self, now: float) -> list[ArtifactRequest]:
        """Return what to ask for now, in turn by group."""
        return [request for pulls in self._groups.values() for request in pulls.requests(now)]

    def accept(self, chunk: Chunk, now: float) -> bytes | None:
        """Take a chunk for all who asked for it; return the artifact when it is whole."""
        whole = None
        for pulls in self._groups.values():
            data = pulls.accept(chunk, now)
            whole = data if data is not None else whole
        if whole is not None:
            self.end([chunk.sha256])
        return whole

    def hopeless(self, now: float, patience_s: float) -> dict[str, dict[str, str]]:
        """Return by group the artifacts that are pulled in vain, and why; they are pulled no more."""
        lost = {group: pulls.hopeless(now, patience_s) for group, pulls in self._groups.items()}
        lost = {group: reasons for group, reasons in lost.items() if reasons}
        for group, reasons in lost.items():
            self._groups[group].end(reasons)
        return lost

    def end(self, hashes: Collection[str]) -> None:
        """Pull these no more, for nobody."""
        for pulls in self._groups.values():
            pulls.end(hashes)
        self._groups = {group: pulls for group, pulls in self._groups.items() if len(pulls)}

    def keep_to(self, group: str, hashes: Collection[str]) -> None:
        """Pull nothing but these for a group."""
        pulls = self._groups.get(group)
        if pulls is not None:
            pulls.end([sha256 for sha256 in pulls.hashes if sha256 not in hashes])
            if not len(pulls):
                del self._groups[group]

    @property
    def groups(self) -> list[str]:
        """Those for whom something is pulled."""
        return list(self._groups)
