"""How a coordinator that begins to act goes on with a deployment: by its folder, or by what the site says; pure."""

from dataclasses import dataclass

from broker.epoch_order import is_later
from broker.messages import BundleName, Spec
from coordinator.fog.decisions import NONE, Decisions
from coordinator.fog.deployment import Deployment
from coordinator.fog.fleet import Fleet
from coordinator.fog.recovery import Heard, recovered
from coordinator.fog.requested import SpecError, bundle_of


@dataclass(frozen=True, slots=True)
class Resumption:
    """The deployment to go on with and what is told of it; a spec to fetch, or to refuse with a reason.

    A spec to fetch that ``lasts`` is not ours to refuse.
    """

    deployment: Deployment | None = None
    decided: Decisions = NONE
    to_fetch: Spec | None = None
    lasts: bool = False
    refused: tuple[Spec, str] | None = None


def resumption(
    known: Deployment | None,
    newer: Spec | None,
    heard: Heard,
    fleet: Fleet,
    now: float,
) -> Resumption:
    """Return how to go on with what our folder knows of a deployment, and a spec that is newer."""
    if known is not None:
        active = heard.active.get(known.name)
        served = known.serving.number if known.serving is not None else 0
        if active is None or not is_later(active.epoch, served):
            return Resumption(known, known.resumed(), to_fetch=newer)
    spec = newer or (known.spec if known is not None else None)
    return Resumption() if spec is None else _by_the_site(spec, heard, fleet, now)


def _by_the_site(spec: Spec, heard: Heard, fleet: Fleet, now: float) -> Resumption:
    """Return how to go on with a deployment of which another coordinator knew more than we do."""
    name = spec.deployment
    try:
        bundle = bundle_of(spec)
    except SpecError as error:
        return Resumption(refused=(spec, str(error)))
    active = heard.active.get(name)
    served = active.bundle if active is not None else None
    if active is None or served != BundleName(name=bundle.name, version=bundle.version):
        return Resumption(to_fetch=spec, lasts=True)
    assigned = frozenset(node for node, _ in heard.of(name))
    deployment = Deployment(spec, bundle, active.epoch, assigned)
    found = recovered(name, bundle, heard, fleet.nodes, now)
    if found is None:
        return Resumption(deployment)  # it serves somewhere, so the nodes have it; placed anew
    # Begun, so that it has what its partitions should take: else no slow node would be noticed.
    deployment.adopt(found.epoch.begun(fleet.usual_s, now), settled=True)
    decided = Decisions(found.assignments, found.epoch.active(), announce=True)
    return Resumption(deployment, decided)
