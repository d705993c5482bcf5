"""The coordinator's pulse, by which a site knows that one acts, and of two which stays."""

from typing import Literal, Self

from broker.payload import MessageError, Payload
from broker.ranges import Count, Totals


class CoordinatorBeat(Payload):
    """The coordinator's pulse, every second; of two coordinators the later ``session`` stays.

    ``role`` has to be there: a fog node's beat has all else that this one has.
    """

    session: Count
    sequence: Count
    queues: Totals
    counters: Totals
    role: Literal["coordinator"] = "coordinator"

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """Return the message in ``payload``, as :meth:`Payload.decode` does."""
        beat = super().decode(payload)
        if "role" not in beat.model_fields_set:
            raise MessageError("CoordinatorBeat: role: Field required")
        return beat
