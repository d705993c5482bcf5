"""Artifacts (ONNX files) by their hash: kept on disk, pulled in chunks through the broker.

Whoever has an artifact answers ``artifact/get``: the coordinator for the fog nodes, and the
``deploy`` command for the coordinator. The pull is a pure state machine; its owner sends the
requests it returns and hands it the chunks that come.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from broker.bus import Bus, Message
from broker.codec import Chunk, encode_chunk
from broker.messages import ArtifactRequest, MessageError
from broker.topics import ARTIFACT_GET, NODE_ARTIFACT, InvalidIdError, check_id

CHUNK_BYTES: Final = 256 * 1024
_WINDOW: Final = 4


def sha256_of(data: bytes) -> str:
    """Return the hash that names an artifact."""
    return hashlib.sha256(data).hexdigest()


class ArtifactStore:
    """Artifacts in a folder, one file each, named by hash; what does not match its name is no artifact."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def get(self, sha256: str) -> bytes | None:
        """Return the artifact, or None; a file that is corrupt is removed."""
        path = self._folder / sha256
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        if sha256_of(data) == sha256:
            return data
        path.unlink(missing_ok=True)
        return None

    def put(self, data: bytes) -> str:
        """Keep an artifact and return its hash; a crash in between leaves no half file under it."""
        sha256 = sha256_of(data)
        handle, name = tempfile.mkstemp(dir=self._folder, prefix=".part-")
        part = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            part.replace(self._folder / sha256)
        finally:
            part.unlink(missing_ok=True)
        return sha256


@dataclass(slots=True)
class _Asked:
    at: float
    times: int


class ArtifactPull:
    """The pull of one artifact of known size: a few chunks under way at a time, asked for again when late.

    What arrives whole but does not hash to its name is refused and pulled again.
    """

    def __init__(self, sha256: str, total: int, reply_to: str, retry_s: float = 1.0) -> None:
        self.sha256, self.total = sha256, total
        self.refused = 0
        self.last_progress: float | None = None
        self._reply_to, self._retry_s = reply_to, retry_s
        self._chunks: dict[int, bytes] = {}
        self._asked: dict[int, _Asked] = {}

    def requests(self, now: float) -> list[ArtifactRequest]:
        """Return what to ask for now; ``now`` is monotonic seconds."""
        if self.last_progress is None:
            self.last_progress = now
        wanted = []
        under_way = 0
        for offset in range(0, max(self.total, 1), CHUNK_BYTES):
            if offset in self._chunks:
                continue
            asked = self._asked.get(offset)
            if asked is None or now - asked.at >= self._retry_s:
                self._asked[offset] = _Asked(now, 1 if asked is None else asked.times + 1)
                wanted.append(
                    ArtifactRequest(
                        sha256=self.sha256,
                        offset=offset,
                        length=CHUNK_BYTES,
                        reply_to=self._reply_to,
                    )
                )
            under_way += 1
            if under_way >= _WINDOW:
                break
        return wanted

    def accept(self, chunk: Chunk, now: float) -> bytes | None:
        """Take a chunk; return the artifact when it is whole and hashes to its name.

        Chunks of other artifacts, of a lying size, or not asked for are ignored.
        """
        if chunk.sha256 != self.sha256 or chunk.total != self.total:
            return None
        if chunk.offset not in self._asked:
            return None
        if len(chunk.data) != min(CHUNK_BYTES, self.total - chunk.offset):
            return None
        self._chunks[chunk.offset] = bytes(chunk.data)
        self.last_progress = now
        if sum(map(len, self._chunks.values())) < self.total:
            return None
        data = b"".join(self._chunks[offset] for offset in sorted(self._chunks))
        if sha256_of(data) == self.sha256:
            return data
        self.refused += 1
        self._chunks.clear()
        self._asked.clear()
        return None

    def stalled(self, now: float, patience_s: float) -> bool:
        """Return whether nothing came for ``patience_s`` seconds."""
        return self.last_progress is not None and now - self.last_progress >= patience_s


def answer_requests(bus: Bus, site: str, find: Callable[[str], bytes | None]) -> None:
    """Answer ``artifact/get`` on this bus for every artifact that ``find`` returns.

    The last artifact is kept at hand: it is asked for chunk by chunk, and ``find`` may read and
    hash the whole of it.
    """
    at_hand: tuple[str, bytes] = ("", b"")

    def answer(message: Message) -> None:
        try:
            request = ArtifactRequest.decode(message.payload)
            reply_to = check_id("reply_to", request.reply_to)
        except (MessageError, InvalidIdError):
            return
        nonlocal at_hand
        if request.sha256 != at_hand[0]:
            data = find(request.sha256)
            if data is None:
                return
            at_hand = (request.sha256, data)
        data = at_hand[1]
        if request.offset > len(data):
            return
        part = memoryview(data)[request.offset : request.offset + request.length]
        chunk = Chunk(request.sha256, request.offset, len(data), part)
        bus.publish(NODE_ARTIFACT.at(site, node=reply_to), encode_chunk(chunk))

    bus.subscribe(ARTIFACT_GET.at(site), answer)
