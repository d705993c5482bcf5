"""The little of an answer that a state is made of."""

from typing import ClassVar

from broker.payload import Payload
from broker.ranges import Count, Id, Name, Share


class Answer(Payload):
    """A :class:`~broker.messages.Result` without what nobody looks at here: decoding it costs a fifth."""

    MOST_BYTES: ClassVar[int] = 64 * 1024

    deployment: Id
    camera: Id
    frame_id: Count
    label: Name
    confidence: Share
    epoch: Count
    unknown: bool = False
