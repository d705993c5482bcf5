"""What a coordinator keeps over restarts: the specs, the epochs that serve, what was measured."""

from collections.abc import Iterable, Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, model_validator

from broker.messages import Signature, Spec
from broker.ranges import Count, Seconds, Sha256
from coordinator.fog.deployment import Deployment
from coordinator.fog.epoch import Epoch
from coordinator.fog.layout import Layout
from coordinator.fog.layout_request import Measured
from models.bundle import Bundle


class _Serving(BaseModel):
    model_config = ConfigDict(frozen=True)

    number: Count
    layout: Layout
    sessions: dict[str, Count]
    bundle: Bundle
    signature: Signature | None = None

    @model_validator(mode="after")
    def _every_partition_is_somewhere(self) -> Self:
        ids = {part.id for part in self.bundle.partitions}
        if not ids == self.layout.placement.keys() == self.layout.priority.keys():
            raise ValueError("the layout is not one of the bundle's partitions")
        return self


class _Deployment(BaseModel):
    model_config = ConfigDict(frozen=True)

    spec: Spec
    last_epoch: Count
    settled: bool
    serving: _Serving | None


class _Measured(BaseModel):
    model_config = ConfigDict(frozen=True)

    hardware: str
    sha256: Sha256
    seconds: Seconds


class _State(BaseModel):
    model_config = ConfigDict(frozen=True)

    deployments: tuple[_Deployment, ...]
    measured: tuple[_Measured, ...] = ()


def saved(deployments: Iterable[Deployment], measured: Measured) -> dict[str, Any]:
    """Return what is to be kept, as JSON takes it."""
    entries = tuple(
        _Deployment(
            spec=deployment.spec,
            last_epoch=deployment.last_epoch,
            settled=deployment.settled,
            serving=None
            if deployment.serving is None
            else _Serving(
                number=deployment.serving.number,
                layout=deployment.serving.layout,
                sessions=dict(deployment.serving.sessions),
                bundle=deployment.serving.bundle,
                signature=deployment.serving.signature,
            ),
        )
        for deployment in deployments
    )
    seconds = tuple(
        _Measured(hardware=hardware, sha256=sha256, seconds=seconds)
        for (hardware, sha256), seconds in measured.items()
    )
    return _State(deployments=entries, measured=seconds).model_dump(mode="json")


def restored(state: Mapping[str, Any]) -> list[Deployment]:
    """Return the deployments that were kept.

    Raises:
        ValueError: this is not what :func:`saved` returned.
    """
    deployments = []
    for entry in _State.model_validate(state).deployments:
        spec, serving = entry.spec, entry.serving
        deployment = Deployment(spec, Bundle.model_validate(spec.bundle), entry.last_epoch)
        if serving is not None:
            epoch = Epoch(
                spec.deployment,
                serving.number,
                serving.bundle,
                serving.layout,
                serving.sessions,
                0.0,
                signature=serving.signature,
            )
            deployment.adopt(epoch, settled=entry.settled)
        deployments.append(deployment)
    return deployments


def remembered(state: Mapping[str, Any]) -> dict[tuple[str, str], float]:
    """Return the seconds that were kept, by hardware and sha256.

    Raises:
        ValueError: this is not what :func:`saved` returned.
    """
    entries = _State.model_validate(state).measured
    return {(entry.hardware, entry.sha256): entry.seconds for entry in entries}
