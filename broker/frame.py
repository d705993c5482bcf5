"""What is known of a frame: one header that everything made of it carries whole."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from numpy.typing import NDArray

FrameKey = tuple[str, int]
"""Camera and frame id; unique within one epoch of one deployment."""


@dataclass(frozen=True, slots=True)
class Hop:
    """One partition run on the way of a frame; seconds by the clock of its node."""

    partition: str
    node: str
    queued_s: float
    run_s: float


@dataclass(frozen=True, slots=True)
class FrameHeader:
    """Which frame this is, how old it is, and where it has been.

    ``since`` is when its camera first sent it and ``expires_at`` when nobody wants its answer any
    more (None: never), both in monotonic seconds of whoever holds the header. On the wire they
    are an age and the seconds left, so clocks need not agree. ``source`` is what the camera calls
    the picture.
    """

    deployment: str
    epoch: int
    camera: str
    frame_id: int
    source: str = ""
    since: float = 0.0
    expires_at: float | None = None
    trace: tuple[Hop, ...] = ()

    @property
    def key(self) -> FrameKey:
        """Which frame it is of."""
        return self.camera, self.frame_id

    def after(self, hop: Hop) -> "FrameHeader":
        """Return the header of what this partition run made of the frame."""
        return replace(self, trace=(*self.trace, hop))


def joined(headers: Iterable[FrameHeader]) -> FrameHeader:
    """Return the header of what is made of several tensors of one frame.

    It is as old as the oldest, is wanted as long as the soonest deadline says, and tells a hop that
    several tensors share once.

    Raises:
        ValueError: there is no header.
    """
    headers = list(headers)
    if not headers:
        raise ValueError("headers: a frame needs at least one tensor")
    expiries = [header.expires_at for header in headers if header.expires_at is not None]
    return replace(
        headers[0],
        since=min(header.since for header in headers),
        expires_at=min(expiries, default=None),
        trace=tuple(dict.fromkeys(hop for header in headers for hop in header.trace)),
    )


@dataclass(frozen=True, slots=True)
class FrameTensor:
    """A frame's picture, or a tensor between two partitions; ``data`` has the shape of its TensorSpec."""

    header: FrameHeader
    tensor: str
    data: NDArray[Any] = field(compare=False)
