"""The coordinator's pulse, by which a site knows that one acts, and of two which stays."""

from typing import Literal

from broker.payload import Payload
from broker.ranges import Count, Totals


class CoordinatorBeat(Payload):
    """The coordinator's pulse, every second; of two coordinators the later ``session`` stays.

    ``role`` tells them apart: a fog node's beat has all else that this one has.
    """

    session: Count
    sequence: Count
    queues: Totals
    counters: Totals
    role: Literal["coordinator"]
