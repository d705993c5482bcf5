import pytest

from coordinator.fog.layout import assignments, laid_out, patience_s, placement_problem
from evolution.placement.fog import ANSWER, CAMERA
from tests.coordinator.fog.toys import NAME, bundle, info


def test_slow_branches_are_spread_and_no_tensor_leaves_a_node_in_vain() -> None:
    layout = laid_out(bundle(), {"a": info("a"), "b": info("b")}, {})
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
    layout = laid_out(bundle(), {"a": info("a")}, {})
    (told,) = assignments(NAME, 1, "serve", bundle(), layout).values()
    assert [spec.id for spec in told.inputs] == ["input"]
    assert told.outputs == ()


def test_seconds_that_were_measured_replace_the_guess() -> None:
    part = bundle().partitions[0]
    nodes = {"a": info("a"), "b": info("b")}
    problem = placement_problem(bundle(), nodes, {("a hardware", part.sha256): 0.5})
    placed = next(p for p in problem.partitions if p.id == part.id)
    assert placed.seconds["a"] == 0.5
    assert 0.01 < placed.seconds["b"] < 0.011  # 10 million MACs at 1e9 a second, and overhead


def test_the_camera_makes_the_frame_and_hears_the_answer_in_no_seconds() -> None:
    problem = placement_problem(bundle(), {"a": info("a")}, {})
    assert problem.pinned == {CAMERA: CAMERA, ANSWER: CAMERA}
    answer = next(tensor for tensor in problem.tensors if tensor.consumers == (ANSWER,))
    assert answer.producer == "fusion"
    camera = next(tensor for tensor in problem.tensors if tensor.producer == CAMERA)
    assert set(camera.consumers) == {"branch0-stage0", "branch1-stage0"}


def test_the_same_nodes_give_the_same_layout() -> None:
    nodes = {name: info(name) for name in "abc"}
    assert laid_out(bundle(4), nodes, {}) == laid_out(bundle(4), nodes, {})


@pytest.mark.parametrize(
    ("nodes", "sentence"),
    [({}, "no fog node is online"), ({"a": info("a", memory=10)}, "branch0-stage0")],
)
def test_what_cannot_be_placed_is_said_in_one_sentence(nodes: dict, sentence: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(ValueError, match=sentence):
        laid_out(bundle(), nodes, {})


def test_a_fusion_waits_some_times_the_predicted_response_within_bounds() -> None:
    assert patience_s(0.001) == 0.15
    assert patience_s(0.1) == 0.5
    assert patience_s(10.0) == 2.0
