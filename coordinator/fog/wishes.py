"""What operators say of the deployments on their retained specs: which of it is news; pure."""

from typing import Final

from broker.messages import Spec
from broker.payload import MessageError
from broker.ranges import MOST_COUNT

REVISION_AHEAD_S: Final = 86_400.0
"""A revision is the milliseconds of a clock; one from further ahead would make all others old."""


class Wishes:
    """The specs heard; until :meth:`begin` they are kept, from then on they are to be acted on."""

    def __init__(self) -> None:
        self.newest = MOST_COUNT
        """The largest revision to be believed."""
        self.early: dict[str, Spec] = {}
        """Specs that came before we began."""
        self.ended: set[str] = set()
        """Deployments that ended before we began."""
        self._cleared: set[str] = set()  # specs that we cleared and whose echo is to come

    def clock(self, unix_s: float) -> None:
        """Take note of the time."""
        self.newest = min(MOST_COUNT, int((unix_s + REVISION_AHEAD_S) * 1000))

    def connected(self) -> None:
        """Take note of a new connection: echoes of what was sent before do not come any more."""
        self._cleared.clear()

    def clears(self, name: str) -> None:
        """Take note that we clear a spec ourselves."""
        self._cleared.add(name)

    def is_echo(self, name: str) -> bool:
        """Return whether an empty spec is our own echo; it comes once."""
        ours = name in self._cleared
        self._cleared.discard(name)
        return ours

    def read(self, name: str, payload: bytes) -> Spec:
        """Return the spec in a message.

        Raises:
            MessageError: it is none, or of another deployment, or its revision is of another time.
        """
        spec = Spec.decode(payload, deployment=name)
        if spec.revision > self.newest:
            raise MessageError("Spec: revision: more than a day ahead of this clock")
        return spec

    def keep(self, spec: Spec) -> None:
        """Keep a spec until we begin."""
        self.early[spec.deployment] = spec
        self.ended.discard(spec.deployment)

    def end(self, name: str) -> None:
        """Take note of an end before we begin."""
        self.early.pop(name, None)
        self.ended.add(name)

    def begin(self) -> dict[str, Spec]:
        """Return the specs that were kept: from now on they are acted on at once."""
        early, self.early = self.early, {}
        return early
