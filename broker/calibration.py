"""How the logits of a fusion become a confidence, and below which one an answer is unknown."""

from typing import Annotated, Final

from pydantic import Field

from broker.payload import Payload
from broker.ranges import Share

Temperature = Annotated[float, Field(ge=1e-3, le=1e3)]


class Calibration(Payload):
    """Confidence is the softmax of logits over ``temperature``; below ``threshold`` an answer is unknown.

    Without a calibration it is the plain softmax, and every answer is known.
    """

    temperature: Temperature = 1.0
    threshold: Share = 0.0


UNCALIBRATED: Final = Calibration()
