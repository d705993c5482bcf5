"""What the report of a trained network tells of: one value, gathered where it was computed."""

from dataclasses import dataclass

from evolution.cost import NetworkShape
from evolution.genome import Genome
from models.bundle import Bundle
from models.outcome import Outcome
from pictures.dataset import Dataset


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """A network that was trained and written down.

    outcome: its answers to the data set's test pictures. validation: training pictures that chose
    the epoch and the threshold. epoch: the one kept, of `epochs`. networks: how many were compared,
    None where the network was given. reasons: why it was trained as it was. commands: what to type next. seconds: all of it took.
    """

    bundle: Bundle
    genome: Genome
    shape: NetworkShape
    dataset: Dataset
    outcome: Outcome
    validation: int
    epoch: int
    epochs: int
    networks: int | None = None
    reasons: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    seconds: float | None = None
