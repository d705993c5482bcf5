"""Artifacts (ONNX files) by their hash: kept on disk, handed out in chunks through the broker.

Whoever has an artifact answers ``artifact/get``: the coordinator for the fog nodes, and the
``deploy`` command for the coordinator. ``broker/artifact_pulls.py`` is the other side.
"""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from broker.bus.seam import Bus, Message
from broker.codec import Chunk, encode_chunk
from broker.messages import ArtifactRequest, MessageError
from broker.topics import ARTIFACT_GET, NODE_ARTIFACT, InvalidIdError, check_id

STORE_BYTES: Final = 512 * 1024 * 1024
"""What a store keeps of artifacts that nobody needs now: a redeploy may want them again."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A file of a store: its size, and when it was last used (seconds, any clock)."""

    size: int
    used_at: float


def superfluous(files: Mapping[str, Kept], needed: Collection[str], limit_bytes: int) -> list[str]:
    """Return what a store is to give up, by hash: nothing needed, and the most recent last.

    Of what is not needed, the most recently used stays up to ``limit_bytes`` in all.
    """
    given_up = []
    room = limit_bytes
    spare = [(kept.used_at, sha256) for sha256, kept in files.items() if sha256 not in needed]
    for _, sha256 in sorted(spare, reverse=True):
        room -= files[sha256].size
        if room < 0:
            given_up.append(sha256)
    return given_up[::-1]


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
        if sha256_of(data) != sha256:
            path.unlink(missing_ok=True)
            return None
        path.touch()
        return data

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

    def give_up(self, needed: Collection[str], limit_bytes: int = STORE_BYTES) -> None:
        """Remove what is superfluous (:func:`superfluous`); what cannot be removed stays."""
        files = {}
        for path in self._folder.iterdir():
            with contextlib.suppress(OSError):
                stat = path.stat()
                files[path.name] = Kept(stat.st_size, stat.st_mtime)
        for name in superfluous(files, needed, limit_bytes):
            with contextlib.suppress(OSError):
                (self._folder / name).unlink()


def answer_requests(
    bus: Bus, site: str, find: Callable[[str], bytes | None], *, asker: str | None = None
) -> None:
    """Answer ``artifact/get`` on this bus for every artifact that ``find`` returns.

    With ``asker`` only that one is answered: of two who have an artifact one is to send it. The
    last artifact is kept at hand: it is asked for chunk by chunk, and ``find`` may read and
    hash the whole of it.
    """
    at_hand: tuple[str, bytes] = ("", b"")

    def answer(message: Message) -> None:
        try:
            request = ArtifactRequest.decode(message.payload)
            reply_to = check_id("reply_to", request.reply_to)
        except (MessageError, InvalidIdError):
            return
        if asker is not None and reply_to != asker:
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
