"""Estimates place a deployment first, measurements once more, and then it stays where it is."""

from hypothesis import given, settings
from hypothesis import strategies as st

from broker.bus.seam import Message
from broker.messages import ONLINE, Report
from broker.topics import NODE_INFO, NODE_REPORT, NODE_STATE
from coordinator.fog.comparison import STEADY_S
from tests.coordinator.fog.desk import Desk, saved
from tests.coordinator.fog.toys import SITE, bundle, info, wish

BUNDLE = bundle(branches=1, macs=50_000_000)


def desk_of(speeds: dict[str, float]) -> Desk:
    """Return a desk with nodes that guess their speed so (MACs per second)."""
    desk = Desk(stored=BUNDLE)
    for node, speed in speeds.items():
        said = info(node, speed=speed).encode()
        desk.hear(Message(NODE_INFO.at(SITE, node=node), said))
        desk.hear(Message(NODE_STATE.at(SITE, node=node), ONLINE))
    desk.hear(wish(BUNDLE))
    return desk


def ready(desk: Desk, seconds: dict[str, float]) -> set[str]:
    """Have the nodes of the epoch in preparation report what they measured; return them."""
    nodes = {*desk.status.placement.values(), desk.status.standby} - {""}
    for node in nodes:
        told = desk.assignment(node)
        report = Report(
            node=node,
            session=1,
            deployment=told.deployment,
            epoch=told.epoch,
            status="ready",
            seconds={
                part.id: seconds[node] if part.fusion is None else 0.0 for part in told.partitions
            },
        )
        desk.hear(Message(NODE_REPORT.at(SITE, node=node), report.encode()))
    assert desk.phase == "serving"
    return set(desk.status.placement.values())


def test_what_the_nodes_measured_moves_a_deployment_once() -> None:
    desk = desk_of({"a": 2e9, "b": 1e9})  # so a guesses 25 ms, b 50 ms
    seconds = {"a": 0.2, "b": 0.05}
    assert ready(desk, seconds) == {"a"}
    desk.pass_time(STEADY_S - 1, "a", "b")
    assert desk.phase == "serving"
    desk.pass_time(2, "a", "b")
    assert ready(desk, seconds) == {"b"}
    desk.pass_time(5 * STEADY_S, "a", "b")
    assert (desk.phase, desk.active.epoch) == ("serving", 2)


def test_measurements_that_bear_the_estimates_out_move_nothing() -> None:
    desk = desk_of({"a": 2e9, "b": 1e9})
    ready(desk, {"a": 0.03})
    desk.pass_time(5 * STEADY_S, "a", "b")
    assert (desk.phase, desk.active.epoch) == ("serving", 1)


def test_what_was_measured_outlives_the_coordinator() -> None:
    desk = desk_of({"a": 2e9})
    ready(desk, {"a": 0.2})
    again = Desk(restored=saved(desk))
    assert again.controller.fleet.measured == desk.controller.fleet.measured
    assert ("a hardware", BUNDLE.partitions[0].sha256) in again.controller.fleet.measured


@given(st.lists(st.floats(1e-3, 1.0), min_size=6, max_size=6))
@settings(max_examples=8)
def test_whatever_is_measured_it_comes_to_rest(figures: list[float]) -> None:
    nodes = "abc"
    seconds = dict(zip(nodes, figures[:3], strict=True))
    desk = desk_of({node: 1e8 / guess for node, guess in zip(nodes, figures[3:], strict=True)})
    for _ in range(5):
        if desk.phase == "preparing":
            ready(desk, seconds)
        desk.pass_time(STEADY_S + 2, *nodes)
    # Each move but one, back to the best, measures a node that was only guessed at before.
    assert desk.phase == "serving"
    assert desk.active.epoch <= 4
