"""Whether a camera can make what a deployment takes; pure."""

from broker.messages import Active
from pictures.fit import COLOUR, GREY


def can_be_fitted(active: Active) -> bool:
    """Return whether a picture can be made into what the network takes: grey or colour."""
    return active.input.shape[0] == 1 and active.input.shape[1] in (GREY, COLOUR)
