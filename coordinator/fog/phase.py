"""The phase that people are told a deployment is in; pure."""

from broker.messages import Status, StatusPhase
from coordinator.fog.epoch import Epoch


class Phase:
    """One deployment's phase, since when (monotonic seconds) and why, and which revision it is about.

    A newer revision is not served before it has been placed.
    """

    def __init__(self, deployment: str, revision: int) -> None:
        self._deployment, self._revision = deployment, revision
        self._phase: StatusPhase = "waiting"
        self._since, self._reason = 0.0, ""

    @property
    def serves(self) -> bool:
        """Whether people are told that it serves."""
        return self._phase == "serving"

    def enter(self, phase: StatusPhase, revision: int, now: float, reason: str = "") -> None:
        """Go on to a phase."""
        self._phase, self._revision, self._since, self._reason = phase, revision, now, reason

    def serves_since(self, since: float) -> None:
        """Take note of when the epoch that serves began to, if somebody knows better."""
        if self.serves:
            self._since = since

    def status(self, epoch: Epoch | None, wall_s: float) -> Status:
        """Return what people are told; ``wall_s`` turns our seconds into Unix seconds."""
        status = Status(
            deployment=self._deployment,
            revision=self._revision,
            phase=self._phase,
            since=max(0.0, round(wall_s + self._since, 3)),
            reason=self._reason,
        )
        return status if epoch is None else status.model_copy(update=epoch.status_fields())
