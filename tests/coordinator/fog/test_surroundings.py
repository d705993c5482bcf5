"""What a deployment has to reckon with: the others, at the rates that they serve."""

import pytest

from broker.messages import Spec
from coordinator.fog.deployment import Deployment
from coordinator.fog.epoch import Epoch
from coordinator.fog.fleet import Fleet
from coordinator.fog.layout import laid_out
from coordinator.fog.layout_request import LayoutRequest
from coordinator.fog.surroundings import Surroundings
from tests.coordinator.fog.pulses import Fog
from tests.coordinator.fog.toys import NAME, bundle, info

OF = bundle(branches=2)


def deployment(name: str, *nodes: str) -> Deployment:
    """Return a deployment that serves on these nodes."""
    spec = Spec(deployment=name, revision=1, bundle=OF.model_dump(mode="json"))
    layout = laid_out(LayoutRequest(OF, {node: info(node) for node in nodes}))
    made = Deployment(spec, OF)
    made.adopt(Epoch(name, 7, OF, layout, dict.fromkeys(nodes, 1), 0.0), settled=True)
    return made


def test_what_others_take_follows_their_rates_and_the_speed_of_the_nodes() -> None:
    fog = Fog("a", "b", frames_per_s=20.0)
    fog.seconds(12)
    fleet = Fleet()
    for node in ("a", "b"):
        fleet.info(node, info(node), fog.now)
        fleet.state(node, b"online", fog.now)
    busy, idle = deployment(NAME, "a"), deployment("idle", "b")
    both = {NAME: busy, "idle": idle}
    for part in OF.partitions:
        fleet.measured["a hardware", part.sha256] = 0.0 if part.branch is None else 0.01

    surroundings = Surroundings(fleet, fog.watch, both, (), fog.now)
    beside_busy, beside_idle = surroundings.of(idle), surroundings.of(busy)
    assert beside_busy.taken()["a"].processor == pytest.approx(20 * 2 * 0.01, rel=0.05)
    assert beside_idle.taken() == {}
    assert beside_busy.frames_per_s is None
    assert beside_idle.frames_per_s == pytest.approx(25.0, rel=0.05)
    ((name, epoch, rate),) = beside_busy.neighbours
    assert (name, epoch) == (NAME, 7)
    assert rate == pytest.approx(20.0, rel=0.05)

    fog.tellers["a"].slower = 10.0
    fog.seconds(6)
    fleet.forgive(fog.now)
    slower = Surroundings(fleet, fog.watch, both, (), fog.now).of(idle)
    assert slower.taken()["a"].processor > 5 * beside_busy.taken()["a"].processor
