"""A second node runs the fusion, too: which one, and what everybody is told."""

from hypothesis import given, settings

from coordinator.fog.assignments import assignments
from coordinator.fog.layout import Layout, laid_out, predicted
from coordinator.fog.layout_request import LayoutRequest
from coordinator.fog.standby import with_standby
from tests.coordinator.fog.desk import serving
from tests.coordinator.fog.requests import requests
from tests.coordinator.fog.toys import NAME, bundle, gone, info


def layout_on(nodes: dict[str, int]) -> Layout:
    """Return the layout of a toy bundle on nodes with so much memory, with its standby."""
    request = LayoutRequest(bundle(), {node: info(node, memory=m) for node, m in nodes.items()})
    return with_standby(request, laid_out(request))


def test_a_lone_node_has_no_standby() -> None:
    assert layout_on({"a": 100_000}).standby == ""


def test_a_node_without_memory_for_the_fusion_is_no_standby() -> None:
    layout = layout_on({"a": 100_000, "b": 500})
    assert (layout.placement["fusion"], layout.standby) == ("a", "")


@given(requests())
@settings(max_examples=20, deadline=None)
def test_no_other_node_would_answer_sooner(request: LayoutRequest) -> None:
    layout = with_standby(request, laid_out(request))
    first = layout.placement["fusion"]
    if len(request.nodes) == 1:
        assert layout.standby == ""
        return
    times = {
        node: predicted(
            request,
            Layout({**layout.placement, "fusion": node}, layout.priority, 0.0, 0.0),
        ).response_s
        for node in request.nodes
        if node != first
    }
    assert layout.standby != first
    assert times[layout.standby] == min(times.values())


def test_both_hear_all_logits_and_the_standby_knows_whom_it_stands_in_for() -> None:
    of = bundle(branches=2)
    placement = {"branch0-stage0": "a", "branch1-stage0": "b", "fusion": "a"}
    layout = Layout(placement, dict.fromkeys(placement, 0.0), 0.01, 0.01, standby="b")
    told = assignments(NAME, 1, "prepare", of, layout)
    fusions = {
        node: part.fusion
        for node, assignment in told.items()
        for part in assignment.partitions
        if part.fusion is not None
    }
    assert {node: fusion.first for node, fusion in fusions.items()} == {"a": "", "b": "a"}
    for node, other in (("a", "b"), ("b", "a")):
        branch = {"a": "branch0", "b": "branch1"}
        # Each makes one branch's logits and gives them to the other, who has the fusion, too.
        assert told[node].outputs == (f"{branch[node]}-logits",)
        taken = {spec.id: spec.node for spec in told[node].inputs}
        assert taken == {"input": "", f"{branch[other]}-logits": other}


def test_the_cameras_and_people_are_told_of_it_and_its_death_is_repaired() -> None:
    desk = serving("a", "b")
    first, standby = desk.active.fusion
    assert {first, standby} == {"a", "b"}
    assert desk.status.standby == standby
    desk.hear(gone(standby))
    desk.ready(first)
    assert desk.active.fusion == (first,)
    assert desk.status.standby == ""
