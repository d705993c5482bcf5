"""What one stream of a camera is to do."""

from dataclasses import dataclass, fields
from typing import Final, Self

from fog_node.camera.motion import Motion
from fog_node.camera.stream import Delivery

FPS: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Which of a source's pictures are sent: the same for all deployments of a camera.

    ``motion``: only those that changed. ``count``: how many are looked at, None: the source once.
    """

    fps: float = FPS
    delivery: Delivery = "live"
    motion: Motion | None = None
    count: int | None = None


@dataclass(frozen=True, slots=True)
class CameraSettings:
    """What a camera streams; ``wait_s`` is how long it waits for a deployment, and for answers.

    After that a ``reliable`` camera gives up, and so does one whose deployment has ended; a ``live``
    one says so and goes on, and a ``patient`` one always does. The rest is its `Pace`.
    """

    deployment: str
    camera: str
    site: str
    fps: float
    delivery: Delivery
    wait_s: float
    motion: Motion | None = None
    count: int | None = None
    patient: bool = False

    @classmethod
    def of(
        cls,
        pace: Pace,
        *,
        deployment: str,
        camera: str,
        site: str,
        wait_s: float,
        patient: bool = False,
    ) -> Self:
        """Return the settings of a stream at a pace."""
        paced = {field.name: getattr(pace, field.name) for field in fields(pace)}
        return cls(
            deployment=deployment,
            camera=camera,
            site=site,
            wait_s=wait_s,
            patient=patient,
            **paced,
        )
