"""What a camera shows, in the words of a deployment's classes: what ``state/…`` retains."""

from typing import Annotated, Final

from pydantic import Field

from broker.payload import Payload
from broker.ranges import Id, Name, Share, UnixSeconds

PREFIX: Final = r"[A-Za-z0-9_-]{1,64}(/[A-Za-z0-9_-]{1,64}){0,2}"
"""Under which a Home Assistant may look for devices: up to three levels."""


class State(Payload):
    """The label that a camera's answers agree on, since when (Unix seconds), and how sure the one was that decided.

    ``silent_since`` is when the last answer came, of a camera of which none came for long; None: they
    come. ``home_assistant`` is the prefix under which it is shown to a Home Assistant, if it is: so
    whoever clears the state knows what else is retained of it.
    """

    deployment: Id
    camera: Id
    label: Name
    confidence: Share
    since: UnixSeconds
    silent_since: UnixSeconds | None = None
    home_assistant: Annotated[str, Field(pattern=f"^({PREFIX})?$")] = ""
