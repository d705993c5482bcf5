"""What is asked of a layout, and the placement problem that it becomes."""

import pickle
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.fog.layout_request import LayoutRequest, placement_problem
from coordinator.fog.taken import Taken
from evolution.placement.bound import lower_bound
from evolution.placement.cost_model import CostModel
from evolution.placement.fog import RUN_OVERHEAD_S, fog_problem
from evolution.placement.forecast import forecast
from evolution.placement.problem import Device, PlacementProblem
from models.bundle import BundlePartition
from tests.coordinator.fog.requests import requests, sites, takens
from tests.coordinator.fog.toys import bundle, info

HASH = bundle().partitions[0].sha256


def idle(request: LayoutRequest) -> PlacementProblem:
    """The problem of an idle fog, without anything that a request may say of others."""
    of, nodes = request.bundle, request.nodes

    def seconds(part: BundlePartition, node: str) -> float:
        return part.macs / nodes[node].macs_per_s + RUN_OVERHEAD_S

    return fog_problem(
        [
            Device(
                node,
                at.memory_bytes,
                at.links.uplink_bytes_per_s,
                at.links.downlink_bytes_per_s,
                at.links.latency_s,
            )
            for node, at in nodes.items()
        ],
        of.partitions,
        {tensor.id: tensor.bytes for tensor in of.tensors},
        picture=of.input.name,
        answer="logits",
        seconds=seconds,
    )


@given(sites())
def test_nothing_taken_is_the_problem_of_an_idle_fog(nodes: dict) -> None:  # type: ignore[type-arg]
    request = LayoutRequest(bundle(), nodes, taken=dict.fromkeys(nodes, Taken()))
    assert placement_problem(request) == idle(request)


@given(requests(), st.data())
def test_more_taken_is_never_better(request: LayoutRequest, data: st.DataObject) -> None:
    some = {node: data.draw(takens) for node in request.nodes}
    more = {node: taken + data.draw(takens) for node, taken in some.items()}
    before, after = (
        placement_problem(replace(request, taken=taken), memory=False) for taken in (some, more)
    )
    for less, longer in zip(before.partitions, after.partitions, strict=True):
        assert all(longer.seconds[node] >= seconds for node, seconds in less.seconds.items())
    node = data.draw(st.sampled_from(sorted(request.nodes)))
    pinned = after.pinned
    placement = {part.id: pinned.get(part.id, node) for part in after.partitions}
    assert forecast(after, placement).frames_per_s <= forecast(before, placement).frames_per_s
    for objective in ("response", "throughput"):
        least = lower_bound(CostModel(before), objective)
        assert lower_bound(CostModel(after), objective) >= least * (1 - 1e-12)


def test_a_nodes_own_seconds_outweigh_its_hardwares_and_those_the_guess() -> None:
    nodes = {"a": info("a"), "b": info("b")}
    part = bundle().partitions[0]
    hardware = {("a hardware", HASH): 0.5, ("b hardware", HASH): 0.6}
    request = LayoutRequest(bundle(), nodes, hardware, {("a", HASH): 0.25})
    assert [request.seconds(part, node) for node in "ab"] == [0.25, 0.6]
    assert LayoutRequest(bundle(), nodes).seconds(part, "a") == pytest.approx(0.0102)


def test_what_does_not_concern_a_request_is_left_out_and_what_is_measured_later_too() -> None:
    measured = {("a hardware", HASH): 0.5, ("a hardware", "0" * 64): 0.5, ("b hardware", HASH): 0.5}
    request = LayoutRequest(
        bundle(),
        {"a": info("a")},
        measured,
        taken={"a": Taken(), "b": Taken(0.5)},
        held={"a": {}, "b": {HASH: 1}},
    )
    measured.clear()
    assert request == LayoutRequest(bundle(), {"a": info("a")}, {("a hardware", HASH): 0.5})
    assert pickle.loads(pickle.dumps(request)) == request  # noqa: S301 - our own


def test_the_order_of_the_nodes_changes_nothing() -> None:
    one = LayoutRequest(bundle(), {name: info(name) for name in "ab"})
    other = LayoutRequest(bundle(), {name: info(name) for name in "ba"})
    assert list(one.nodes) == list(other.nodes)
    assert placement_problem(one) == placement_problem(other)


def test_the_cameras_links_bear_the_rate_that_is_served_and_are_nobodys_but_their_own() -> None:
    nodes = {"a": info("a")}
    taken = {"a": Taken(uplink_bytes_per_s=9e7)}
    alone = placement_problem(LayoutRequest(bundle(), nodes)).devices[-1]
    assert placement_problem(LayoutRequest(bundle(), nodes, taken=taken)).devices[-1] == alone
    fast = placement_problem(LayoutRequest(bundle(), nodes, frames_per_s=1e8)).devices[-1]
    assert fast.uplink_bytes_per_s == 2 * 16 * 1e8


def test_memory_is_what_the_artifacts_that_stay_leave_and_one_that_stays_costs_nothing() -> None:
    held = {"a": {HASH: 1000, "0" * 64: 700}}
    request = LayoutRequest(bundle(), {"a": info("a", memory=5000)}, held=held)
    problem = placement_problem(request)
    assert problem.devices[0].memory_bytes == 3300
    first, second, *_ = problem.partitions
    assert (first.memory_on("a"), second.memory_on("a")) == (0, 1000)


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), float("inf")])
def test_a_rate_is_a_number_of_frames(rate: float) -> None:
    with pytest.raises(ValueError, match="frames_per_s"):
        LayoutRequest(bundle(), {}, frames_per_s=rate)


def test_seconds_are_numbers() -> None:
    with pytest.raises(ValueError, match="on a"):
        LayoutRequest(bundle(), {"a": info("a")}, node_seconds={("a", HASH): -1.0})
