"""The signed revisions that served here, on the disk: a replay of an older one outlives no restart."""

import logging
from collections.abc import Mapping
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from broker.ranges import Count

_log = logging.getLogger("fog-node")
_REVISIONS = TypeAdapter(dict[str, Count])


class SignedRevisions:
    """One small file: the latest revision by deployment."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> dict[str, int]:
        """Return what was kept; nothing where there is no file, or one that cannot be read."""
        try:
            return _REVISIONS.validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValidationError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is damaged"
            _log.warning("%s: %s; an older signed revision would be run again", self._path, reason)
            return {}

    def write(self, revisions: Mapping[str, int]) -> None:
        """Keep them; a disk that does not take them costs the protection after a restart, not the node."""
        part = self._path.with_suffix(".part")
        try:
            part.write_bytes(_REVISIONS.dump_json(dict(revisions)))
            part.replace(self._path)
        except OSError as error:
            _log.warning("%s: %s", self._path, error.strerror)
