"""Artifacts (ONNX files) by their hash: kept on disk, handed out in chunks through the broker.

A fog node asks the coordinator; the coordinator asks the client that deploys, or a fog node that
holds what the coordinator lost. ``broker/artifact_pulls.py`` is the other side.
"""

import contextlib
import hashlib
import logging
import os
import tempfile
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from broker.bus.seam import Bus, Message
from broker.codec import Chunk, encode_chunk
from broker.messages import ArtifactRequest
from broker.payload import MessageError
from broker.topics import CLIENT_GIVE, COORDINATOR_GET

_log = logging.getLogger("artifacts")

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
    """Artifacts in a folder, one file each, named by hash; what does not match its name is no artifact.

    The folder is made by the first artifact that is kept, and again where somebody removed it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def has(self, sha256: str, size: int) -> bool:
        """Return whether there is a file of this name and size; only :meth:`get` looks into it."""
        try:
            return (self._folder / sha256).stat().st_size == size
        except OSError:
            return False

    def get(self, sha256: str) -> bytes | None:
        """Return the artifact, or None; a file that is corrupt is put aside and logged.

        Raises:
            OSError: it is there and cannot be read.
        """
        path = self._folder / sha256
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        if sha256_of(data) != sha256:
            aside = path.with_suffix(".damaged")
            path.replace(aside)
            _log.warning("%s is corrupt and now %s", path, aside.name)
            return None
        with contextlib.suppress(OSError):
            path.touch()
        return data

    def put(self, data: bytes) -> str:
        """Keep an artifact and return its hash; a crash in between leaves no half file under it.

        Raises:
            OSError: the disk is full, or the folder cannot be written to.
        """
        sha256 = sha256_of(data)
        self._folder.mkdir(parents=True, exist_ok=True)
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
        """Remove what is superfluous (:func:`superfluous`); what cannot be removed stays.

        Raises:
            OSError: the folder cannot be read.
        """
        files = {}
        try:
            paths = list(self._folder.iterdir())
        except FileNotFoundError:
            return
        for path in paths:
            with contextlib.suppress(OSError):
                stat = path.stat()
                files[path.name] = Kept(stat.st_size, stat.st_mtime)
        for name in superfluous(files, needed, limit_bytes):
            with contextlib.suppress(OSError):
                (self._folder / name).unlink()


def chunk_of(data: bytes, request: ArtifactRequest) -> Chunk | None:
    """Return what was requested of an artifact, or None where it has no such part."""
    if request.offset > len(data):
        return None
    part = memoryview(data)[request.offset : request.offset + request.length]
    return Chunk(request.sha256, request.offset, len(data), part)


class ChunkGiver:
    """Makes the chunks that are requested; the last artifact is kept at hand, since ``find`` may read it all."""

    def __init__(self, find: Callable[[str], bytes | None]) -> None:
        self._find = find
        self._at_hand: tuple[str, bytes] = ("", b"")

    def payload(self, request: ArtifactRequest) -> bytes | None:
        """Return the chunk as it travels, or None where there is no such artifact or part."""
        if request.sha256 != self._at_hand[0]:
            found = self._find(request.sha256)
            if found is None:
                return None
            self._at_hand = (request.sha256, found)
        chunk = chunk_of(self._at_hand[1], request)
        return None if chunk is None else encode_chunk(chunk)


def answer_coordinator(
    bus: Bus, site: str, client: str, find: Callable[[str], bytes | None]
) -> None:
    """Answer the coordinator's requests chunk by chunk, as the client that deploys what ``find`` returns."""
    giver = ChunkGiver(find)
    topic = CLIENT_GIVE.at(site, client=client)

    def answer(message: Message) -> None:
        try:
            request = ArtifactRequest.decode(message.payload)
        except MessageError:
            return
        payload = None if request.holder else giver.payload(request)
        if payload is not None:
            bus.publish(topic, payload)

    bus.subscribe(COORDINATOR_GET.at(site), answer)
