"""Artifacts that this device does not touch for a while: they hung, or ended the process.

Kept in the state folder, for the process that runs into one may not live to tell. An artifact is written
down before it is loaded and crossed out afterwards; one that was being loaded when the process ended,
twice in a row, is taken for the cause, unless the process was told to end.
"""

import json
import logging
import threading
import time
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

_log = logging.getLogger("fog-node")

TERM_S: Final = 600.0
TRIES: Final = 2
"""A power cut in the middle of a load is nobody's fault; two in a row hardly happen."""
_MOST: Final = 256


class Entry(BaseModel):
    """What is known of an artifact: loads that never ended, and until when (Unix seconds) it is left alone."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    tries: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    until: Annotated[float, Field(ge=0)] = 0.0
    reason: Annotated[str, Field(max_length=1000)] = ""


_FILE: Final = TypeAdapter(dict[str, Entry])


class Quarantine:
    """Safe from any thread; a file that cannot be read or written costs the memory of it, nothing else."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._entries = self._read()
        self._loading: set[str] = set()
        self._closed = False

    def reason(self, sha256: str, now: float | None = None) -> str:
        """Return why an artifact is not to be loaded now, or nothing; ``now`` in Unix seconds."""
        now = time.time() if now is None else now
        with self._lock:
            entry = self._entries.get(sha256)
            if entry is None:
                return ""
            # A clock that went back does not leave it alone for longer.
            if entry.until and not now < entry.until <= now + TERM_S:
                del self._entries[sha256]
                self._write()
                return ""
            if entry.until:
                return f"{entry.reason}; left alone for {entry.until - now:.0f} s"
            if entry.tries < TRIES:
                return ""
        self.condemn(sha256, f"the fog node ended {entry.tries} times while it was loaded", now)
        return self.reason(sha256, now)

    def begin(self, sha256: str) -> None:
        """Take note that an artifact is about to be loaded."""
        with self._lock:
            if self._closed:
                return
            entry = self._entries.get(sha256, Entry())
            self._entries[sha256] = entry.model_copy(update={"tries": entry.tries + 1})
            self._loading.add(sha256)
            self._write()

    def ended(self, sha256: str) -> None:
        """Take note that the load ended, whatever came of it."""
        with self._lock:
            self._loading.discard(sha256)
            self._forgive(sha256)

    def close(self) -> None:
        """Take note that the process ends because it was told to, which is no load's fault."""
        with self._lock:
            self._closed = True
            for sha256 in self._loading:
                self._forgive(sha256)

    def _forgive(self, sha256: str) -> None:
        entry = self._entries.get(sha256)
        if entry is not None and not entry.until:
            del self._entries[sha256]
            self._write()

    def condemn(self, sha256: str, reason: str, now: float | None = None) -> None:
        """Leave an artifact alone for a while."""
        now = time.time() if now is None else now
        with self._lock:
            self._entries[sha256] = Entry(until=now + TERM_S, reason=reason[:1000])
            self._write()

    def _read(self) -> dict[str, Entry]:
        try:
            return _FILE.validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValidationError):
            _log.warning("%s cannot be read; no artifact is left alone because of it", self._path)
            return {}

    def _write(self) -> None:
        for sha256 in list(self._entries)[:-_MOST]:
            del self._entries[sha256]
        unfinished = self._path.with_suffix(".part")
        content = {sha256: entry.model_dump() for sha256, entry in self._entries.items()}
        try:
            unfinished.write_text(json.dumps(content), encoding="utf-8")
            unfinished.replace(self._path)
        except OSError as error:
            _log.debug("%s: %s", self._path, error)
