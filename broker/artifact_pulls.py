"""The pulls of a node: what it asks for, when, and when again; pure.

A few chunks are in flight at a time, however many artifacts are pulled: more would wait at the
broker or on the link, and would be requested again before they arrive. Their owner sends
the requests that it is given and hands over the chunks that come.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from broker.artifacts import sha256_of
from broker.codec import Chunk
from broker.messages import ArtifactRequest
from broker.retry_timeout import RetryTimeout

CHUNK_BYTES: Final = 256 * 1024
WINDOW: Final = 4
"""So many chunks at most are in flight."""
REFUSALS: Final = 5
"""So often an artifact may arrive corrupt before it is given up."""
RETRY_FIRST_S: Final = 1.0
_RETRY_MOST_S: Final = 60.0
_SOON_S: Final = 1.0
"""A chunk that takes longer was one too many in flight: keepalives wait behind it."""


class _Pull:
    """One artifact of known size on its way; of its ``holders`` the first is asked."""

    def __init__(self, total: int, holders: Sequence[str]) -> None:
        self.total, self.holders = total, tuple(holders)
        self.refused = 0
        self._chunks: dict[int, bytes] = {}
        self._asked: set[int] = set()

    @property
    def holder(self) -> str:
        """Who is asked."""
        return self.holders[0]

    def ask_the_next(self) -> None:
        """Ask the next holder from now on, and this one last."""
        self.holders = (*self.holders[1:], self.holders[0])

    def missing(self) -> Iterator[int]:
        """Yield the offsets of the chunks that have not come, in order."""
        offsets = range(0, max(self.total, 1), CHUNK_BYTES)
        return (offset for offset in offsets if offset not in self._chunks)

    def ask(self, offset: int) -> bool:
        """Take note that a chunk is asked for; return whether it was before."""
        again = offset in self._asked
        self._asked.add(offset)
        return again

    @property
    def asked(self) -> bool:
        """Whether anything was asked for."""
        return bool(self._asked)

    def fits(self, chunk: Chunk) -> bool:
        """Return whether this is a chunk that was asked for and has not come yet."""
        return (
            chunk.total == self.total
            and chunk.offset in self._asked
            and chunk.offset not in self._chunks
            and len(chunk.data) == min(CHUNK_BYTES, self.total - chunk.offset)
        )

    def take(self, sha256: str, chunk: Chunk) -> bytes | None:
        """Take a chunk that fits; return the artifact once it is whole and hashes to its name."""
        self._chunks[chunk.offset] = bytes(chunk.data)
        if sum(map(len, self._chunks.values())) < self.total:
            return None
        data = b"".join(self._chunks[offset] for offset in sorted(self._chunks))
        if sha256_of(data) == sha256:
            return data
        self.refused += 1
        self.ask_the_next()
        self._chunks.clear()
        self._asked.clear()
        return None


@dataclass(frozen=True, slots=True)
class _InFlight:
    since: float
    until: float
    again: bool


class ArtifactPulls:
    """All pulls of one part; ``now`` is monotonic seconds.

    What arrives whole but does not hash to its name is refused and pulled again.
    """

    def __init__(self) -> None:
        self.chunks = 0
        """How many came so far; who sees it grow knows that it goes on."""
        self.refused = 0
        self._pulls: dict[str, _Pull] = {}
        self._in_flight: dict[tuple[str, int], _InFlight] = {}
        self._window = 1
        self._timeout = RetryTimeout(RETRY_FIRST_S, RETRY_FIRST_S, _RETRY_MOST_S)
        self._waits_since: float | None = None

    def __contains__(self, sha256: object) -> bool:
        return sha256 in self._pulls

    def __len__(self) -> int:
        return len(self._pulls)

    @property
    def hashes(self) -> list[str]:
        """What is being pulled, in order."""
        return list(self._pulls)

    def begin(self, sha256: str, total: int, holders: Sequence[str] = ("",)) -> None:
        """Pull an artifact of ``total`` bytes, after those that were begun before.

        Of its ``holders`` one is asked after the other, the next whenever a chunk is late or corrupt.
        """
        self._pulls.setdefault(sha256, _Pull(total, holders))

    def offer(self, sha256: str, holders: Sequence[str]) -> None:
        """Ask these from now on, the one that is being asked first if it is still among them."""
        pull = self._pulls[sha256]
        if set(holders) != set(pull.holders):
            now = [holder for holder in holders if holder == pull.holder]
            pull.holders = (*now, *(holder for holder in holders if holder not in now))

    def end(self, hashes: Collection[str]) -> None:
        """Pull these no more; the patience with the others begins anew."""
        gone = [sha256 for sha256 in hashes if self._pulls.pop(sha256, None) is not None]
        if not gone:
            return
        self._waits_since = None
        self._in_flight = {
            key: asked for key, asked in self._in_flight.items() if key[0] in self._pulls
        }

    def requests(self, now: float) -> list[ArtifactRequest]:
        """Return what to ask for now."""
        late = [key for key, asked in self._in_flight.items() if now >= asked.until]
        if late:
            self._window = 1
            if all(len(self._pulls[sha256].holders) == 1 for sha256, _ in late):
                self._timeout.expired()  # with others to ask it is not the link that is slow
        for key in late:
            del self._in_flight[key]
        for sha256 in dict.fromkeys(sha256 for sha256, _ in late):
            # To the end: what nobody has is not to keep the others waiting.
            pull = self._pulls[sha256] = self._pulls.pop(sha256)
            pull.ask_the_next()
        wanted: list[ArtifactRequest] = []
        for sha256, offset in self._next():
            if len(self._in_flight) >= self._window:
                break
            pull = self._pulls[sha256]
            again = pull.ask(offset)
            asked = _InFlight(now, now + self._timeout.seconds, again)
            self._in_flight[sha256, offset] = asked
            wanted.append(
                ArtifactRequest(
                    sha256=sha256, offset=offset, length=CHUNK_BYTES, holder=pull.holder
                )
            )
        if self._waits_since is None and wanted:
            self._waits_since = now
        return wanted

    def _next(self) -> Iterator[tuple[str, int]]:
        for sha256, pull in self._pulls.items():
            if pull.refused < REFUSALS:
                for offset in pull.missing():
                    if (sha256, offset) not in self._in_flight:
                        yield sha256, offset

    def accept(self, chunk: Chunk, now: float) -> bytes | None:
        """Take a chunk; return the artifact when it is whole and hashes to its name.

        Chunks of other artifacts, of a lying size, not asked for or come before are ignored.
        """
        pull = self._pulls.get(chunk.sha256)
        if pull is None or not pull.fits(chunk):
            return None
        asked = self._in_flight.pop((chunk.sha256, chunk.offset), None)
        if asked is not None and not asked.again:
            took = now - asked.since
            self._timeout.answered(took)
            step = 1 if took < _SOON_S else -1
            self._window = min(WINDOW, max(1, self._window + step))
        self.chunks += 1
        self._waits_since = now
        refused = pull.refused
        data = pull.take(chunk.sha256, chunk)
        self.refused += pull.refused - refused
        if data is not None:
            self.end([chunk.sha256])
        return data

    def hopeless(self, now: float, patience_s: float) -> dict[str, str]:
        """Return the artifacts that are pulled in vain, and why.

        Nothing came for ``patience_s`` of all that was asked for, or what came was corrupt each time.
        """
        waits = self._waits_since
        stalled = bool(self._in_flight) and waits is not None and now - waits >= patience_s
        reasons = {
            sha256: "nobody sent the artifact"
            for sha256, pull in self._pulls.items()
            if stalled and pull.asked
        }
        reasons |= {
            sha256: "what comes is not the artifact of this hash"
            for sha256, pull in self._pulls.items()
            if pull.refused >= REFUSALS
        }
        return reasons
