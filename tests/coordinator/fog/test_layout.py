import pytest
from hypothesis import given, settings

from broker.messages import Links
from coordinator.fog.assignments import assignments, patience_s
from coordinator.fog.layout import laid_out, predicted, taken_by
from coordinator.fog.layout_request import LayoutRequest, placement_problem
from coordinator.fog.taken import Taken
from evolution.placement.fog import ANSWER, CAMERA
from tests.coordinator.fog.requests import requests
from tests.coordinator.fog.toys import NAME, bundle, info


def test_slow_branches_are_spread_and_no_tensor_leaves_a_node_in_vain() -> None:
    layout = laid_out(LayoutRequest(bundle(), {"a": info("a"), "b": info("b")}))
    told = assignments(NAME, 7, "prepare", bundle(), layout)
    assert set(told) == {"a", "b"}
    merging = layout.placement["fusion"]
    other = ({"a", "b"} - {merging}).pop()
    assert [spec.id for spec in told[other].inputs] == ["input"]
    assert len(told[other].outputs) == 1
    assert {spec.id for spec in told[merging].inputs} == {"input", *told[other].outputs}
    assert told[merging].outputs == ()
    fusion = next(part for part in told[merging].partitions if part.id == "fusion")
    assert fusion.fusion is not None
    assert fusion.fusion.min_inputs == 1
    assert all(part.fusion is None for part in told[other].partitions)


def test_a_chain_on_one_node_takes_frames_and_gives_nothing() -> None:
    layout = laid_out(LayoutRequest(bundle(), {"a": info("a")}))
    (told,) = assignments(NAME, 1, "serve", bundle(), layout).values()
    assert [spec.id for spec in told.inputs] == ["input"]
    assert told.outputs == ()


def test_seconds_that_were_measured_replace_the_guess() -> None:
    part = bundle().partitions[0]
    nodes = {"a": info("a"), "b": info("b")}
    problem = placement_problem(LayoutRequest(bundle(), nodes, {("a hardware", part.sha256): 0.5}))
    placed = next(p for p in problem.partitions if p.id == part.id)
    assert placed.seconds["a"] == 0.5
    assert 0.01 < placed.seconds["b"] < 0.011  # 10 million MACs at 1e9 a second, and overhead


def test_the_camera_makes_the_frame_and_hears_the_answer_in_no_seconds() -> None:
    problem = placement_problem(LayoutRequest(bundle(), {"a": info("a")}))
    assert problem.pinned == {CAMERA: CAMERA, ANSWER: CAMERA}
    answer = next(tensor for tensor in problem.tensors if tensor.consumers == (ANSWER,))
    assert answer.producer == "fusion"
    camera = next(tensor for tensor in problem.tensors if tensor.producer == CAMERA)
    assert set(camera.consumers) == {"branch0-stage0", "branch1-stage0"}


def test_the_same_nodes_give_the_same_layout() -> None:
    nodes = {name: info(name) for name in "abc"}
    assert laid_out(LayoutRequest(bundle(4), nodes)) == laid_out(LayoutRequest(bundle(4), nodes))


@pytest.mark.parametrize(
    ("nodes", "sentence"),
    [({}, "no fog node is online"), ({"a": info("a", memory=10)}, "branch0-stage0")],
)
def test_what_cannot_be_placed_is_said_in_one_sentence(nodes: dict, sentence: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(ValueError, match=sentence):
        laid_out(LayoutRequest(bundle(), nodes))


def test_a_fusion_waits_some_times_the_predicted_response_within_bounds() -> None:
    assert patience_s(0.001) == 0.15
    assert patience_s(0.1) == 0.5
    assert patience_s(10.0) == 2.0


# --- a rate, and other deployments ------------------------------------------------------------------


def test_a_layout_says_what_it_is_predicted_to_reach() -> None:
    nodes = {"a": info("a"), "b": info("b")}
    alone = laid_out(LayoutRequest(bundle(), nodes))
    assert alone.lower_bound_s <= alone.response_s
    assert alone.frames_per_s == pytest.approx(1 / (10e-3 + 2 * 200e-6))  # a branch and the fusion
    assert alone.p95_s is None
    served = laid_out(LayoutRequest(bundle(), nodes, frames_per_s=50.0))
    assert served.keeps_up(50.0)
    assert served.p95_s == pytest.approx(served.response_s)  # frames 20 ms apart do not meet


def test_a_rate_spreads_what_a_single_frame_would_keep_together() -> None:
    """The way to a second node costs a frame more than it gains; six frames a second need both."""
    slow = Links(uplink_bytes_per_s=1e5, downlink_bytes_per_s=1e5, latency_s=0.06)
    nodes = {name: info(name, speed=1e8).model_copy(update={"links": slow}) for name in "ab"}
    alone = laid_out(LayoutRequest(bundle(), nodes))
    assert len(set(alone.placement.values())) == 1
    assert not alone.keeps_up(6.0)
    served = laid_out(LayoutRequest(bundle(), nodes, frames_per_s=6.0))
    assert len(set(served.placement.values())) == 2
    assert served.keeps_up(6.0)


def test_where_nothing_keeps_up_the_layout_is_the_one_that_comes_nearest() -> None:
    nodes = {name: info(name) for name in "ab"}
    served = laid_out(LayoutRequest(bundle(), nodes, frames_per_s=1000.0))
    assert not served.keeps_up(1000.0)
    assert served.frames_per_s == pytest.approx(1 / (10e-3 + 2 * 200e-6))
    assert served.p95_s is not None
    assert served.p95_s > served.response_s


@settings(max_examples=25)
@given(requests())
def test_what_a_layout_takes_is_all_of_a_node_at_the_rate_that_it_keeps_up_with(
    request: LayoutRequest,
) -> None:
    layout = laid_out(request)
    assert layout.frames_per_s is not None
    taken = taken_by(request, layout, layout.frames_per_s)
    assert taken.keys() == set(layout.placement.values())
    shares = [
        share
        for node, used in taken.items()
        for share in (
            used.processor,
            used.uplink_bytes_per_s / request.nodes[node].links.uplink_bytes_per_s,
            used.downlink_bytes_per_s / request.nodes[node].links.downlink_bytes_per_s,
        )
    ]
    assert max(shares) == pytest.approx(1.0)
    halved = taken_by(request, layout, layout.frames_per_s / 2)
    assert [used.processor for used in halved.values()] == pytest.approx(
        [used.processor / 2 for used in taken.values()]
    )


def test_two_deployments_at_sixty_per_cent_both_keep_up_in_either_order() -> None:
    """Six branches of 10 ms on four nodes, twice, so that 60 % of all processors are used."""
    nodes = {name: info(name) for name in "abcd"}
    rate = 0.6 * 4 / (2 * (6 * 10.2e-3 + 0.2e-3))
    first = LayoutRequest(bundle(6), nodes, frames_per_s=rate)
    one = laid_out(first)
    second = LayoutRequest(bundle(6), nodes, frames_per_s=rate, taken=taken_by(first, one, rate))
    other = laid_out(second)
    beside = LayoutRequest(bundle(6), nodes, frames_per_s=rate, taken=taken_by(second, other, rate))
    assert other.keeps_up(rate)
    assert predicted(beside, one).keeps_up(rate)
    together = [
        taken_by(first, layout, rate).get(node, Taken()).processor
        for layout in (one, other)
        for node in nodes
    ]
    assert sum(together) == pytest.approx(0.6 * 4)


def test_a_layout_is_foreseen_only_where_its_nodes_are_there() -> None:
    layout = laid_out(LayoutRequest(bundle(), {"a": info("a")}))
    elsewhere = LayoutRequest(bundle(), {"b": info("b")})
    with pytest.raises(ValueError, match="'a'"):
        predicted(elsewhere, layout)
    with pytest.raises(ValueError, match="'a'"):
        taken_by(elsewhere, layout, 1.0)


def test_on_many_nodes_the_memory_that_only_some_have_is_found() -> None:
    """Of a hundred nodes the quick ones are looked at first; here only slow ones have the memory."""
    nodes = {
        f"n{number:02}": info(
            f"n{number:02}",
            memory=2500 if number >= 98 else 500,
            speed=1e8 if number >= 98 else 1e9,
        )
        for number in range(100)
    }
    layout = laid_out(LayoutRequest(bundle(3), nodes))
    assert set(layout.placement.values()) == {"n98", "n99"}
