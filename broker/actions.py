"""What decisions of every part may ask their loop to do: plain values, no I/O."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Publish:
    """Send a message."""

    topic: str
    payload: bytes
    retain: bool = False
    stream: bool = False


@dataclass(frozen=True, slots=True)
class Stop:
    """End this process, with the reason."""

    reason: str
