"""What the coordinator's log tells people: how deployments fare, and whether this coordinator acts."""

import logging
from datetime import UTC, datetime

from broker.messages import Status
from broker.topics import STATUS
from coordinator.fog.tenure import Tenure, TenureState

_log = logging.getLogger("fog-coordinator")


class News:
    """Logs what is new."""

    def __init__(self, site: str) -> None:
        self._site = site
        self._tenure: TenureState = "listening"
        self._last: dict[str, str] = {}

    def tenure(self, tenure: Tenure) -> None:
        """Tell whether this coordinator acts."""
        if tenure.state == self._tenure:
            return
        self._tenure = tenure.state
        if tenure.state == "acting":
            _log.info("serves site %s", self._site)
        elif tenure.state == "standing by":
            _log.warning(
                "another fog-coordinator serves site %s (started %s); it stays, and this one stands "
                "by until that one ends or falls silent",
                self._site,
                _started(tenure.other),
            )

    def published(self, topic: str, payload: bytes) -> None:
        """Tell of a deployment's status, but not of each new figure in it."""
        if STATUS.names(topic) is None or not payload:
            return
        status = Status.decode(payload)
        where = ", ".join(f"{part} on {node}" for part, node in sorted(status.placement.items()))
        wrong = [f"degraded: {status.degraded}"] if status.degraded else []
        wrong += [f"{node} {why}" for node, why in sorted(status.slow.items())]
        why = "; ".join(filter(None, (status.reason or where, *wrong)))
        line = f"{status.phase}, epoch {status.epoch}" if status.epoch else str(status.phase)
        line = f"{line}: {why}" if why else line
        if line != self._last.get(status.deployment):
            self._last[status.deployment] = line
            _log.info("%s: %s", status.deployment, line)


def _started(session: int | None) -> str:
    try:
        return datetime.fromtimestamp((session or 0) / 1e6, UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError):
        return "at an unknown time"
