"""One epoch of one deployment: what it takes, what it refuses, what it makes of it."""

from typing import Any

import numpy as np
import pytest

from broker.codec import CodecError
from broker.frame import FrameTensor, Hop
from broker.tensor_specs import InputSpec
from fog_node.partition_run import PartitionRun
from fog_node.pixels import normalised
from fog_node.serving import Serving
from tests.fog_node.scene import (
    FUSE,
    FUSION,
    LEFT,
    NODE,
    PATIENCE,
    PICTURE,
    RIGHT,
    SITE,
    assignment,
    part,
    tensor,
)


def serving(*parts: Any, **changes: Any) -> Serving:
    return Serving(assignment(1, *parts, **changes), NODE, SITE)


def test_its_topics_are_those_of_what_it_does_not_make_itself() -> None:
    assert serving(LEFT).filters == {"fog/v2/home/frame/digits/+"}
    assert serving(LEFT, FUSE).filters == {
        "fog/v2/home/frame/digits/+",
        "fog/v2/home/tensor/digits/1/pi/right",
    }
    assert serving(LEFT, RIGHT, FUSE).filters == {"fog/v2/home/frame/digits/+"}


def test_a_tensor_that_a_topic_could_not_bear_is_escaped() -> None:
    odd = part("odd", ("/conv1/Relu+0",), ("y",))
    specs = ({"id": "/conv1/Relu+0", "shape": (1,), "dtype": "float32", "bytes": 4, "node": NODE},)
    assert serving(odd, inputs=specs).filters == {
        "fog/v2/home/tensor/digits/1/pi/%2Fconv1%2FRelu%2B0"
    }


@pytest.mark.parametrize(
    ("sentence", "parts", "changes"),
    [
        ("partition fusion: nobody makes its input left", (FUSE,), {"inputs": ()}),
        ("partition left-branch: nobody makes its input input", (LEFT,), {"inputs": ()}),
        ("partition f: a fusion has one output", (part("f", ("input",), ("a", "b"), fusion=FUSION),), {}),
        ("partition f: a fusion has one output", (part("f", ("input",), (), fusion=FUSION),), {}),
    ],
)  # fmt: skip
def test_an_assignment_that_contradicts_itself_is_refused(
    sentence: str, parts: Any, changes: Any
) -> None:
    with pytest.raises(ValueError, match=sentence):
        serving(*parts, **changes)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("unknown_tensor", tensor("left", 1)),
        ("shape", tensor("input", 1, data=np.zeros((1, 1, 2, 3), np.float32))),
        ("shape", tensor("input", 1, data=np.zeros(4, np.float32))),
        ("dtype", tensor("input", 1, data=np.zeros((1, 1, 2, 2), np.int64))),
        ("header", tensor("input", 1, camera="door/+")),
        ("header", tensor("input", 1, camera="")),
    ],
)
def test_what_it_does_not_take_is_refused_with_its_counter(kind: str, message: FrameTensor) -> None:
    with pytest.raises(CodecError) as caught:
        serving(LEFT).accept(message, 0.0)
    assert caught.value.kind == kind


def test_a_frame_runs_every_partition_that_takes_it() -> None:
    runs = serving(LEFT, RIGHT).accept(tensor("input", 5), now=3.0)
    assert [run.partition for run in runs] == [LEFT, RIGHT]
    assert all((run.header.frame_id, run.ready_at, run.missing) == (5, 3.0, ()) for run in runs)


def test_pixels_are_normalised_as_the_network_was_trained() -> None:
    pixels = np.array([0, 51, 102, 255], np.uint8).reshape(1, 1, 2, 2)
    (run,) = serving(LEFT).accept(tensor("input", 1, data=pixels), 0.0)
    expected = (pixels.astype(np.float32) / 255 - 0.5) / 0.5
    np.testing.assert_allclose(run.inputs["input"], expected, rtol=1e-6)
    assert run.inputs["input"].dtype == np.float32


def test_each_channel_has_its_own_mean_and_deviation() -> None:
    spec = InputSpec(
        name="input", shape=(1, 3, 1, 1), dtype="float32", mean=(0, 0.5, 1), std=(1, 0.5, 0.25)
    )
    pixels = np.full((1, 3, 1, 1), 255, np.uint8)
    np.testing.assert_allclose(normalised(pixels, spec, "input").reshape(-1), [1, 1, 0])


def test_numbers_are_taken_as_they_are() -> None:
    data = np.ones((1, 1, 2, 2), np.float32)
    assert normalised(data, PICTURE, "input") is data
    assert normalised(data.astype(np.uint8), PICTURE, "left").dtype == np.uint8


def test_the_time_that_is_left_travels_with_the_frame() -> None:
    here = serving(LEFT)
    (run,) = here.accept(tensor("input", 1, expires_at=11.0), now=10.0)
    assert run.header.expires_at == 11.0
    outputs = {"left": np.zeros((1, 2), np.float32)}
    (sent,) = here.produced(run, outputs, started=10.25, seconds=0.5, now=10.75).tensors
    assert sent.header.expires_at == 11.0
    assert sent.header.trace == (Hop("left-branch", NODE, 0.25, 0.5),)


def test_the_soonest_deadline_of_what_is_joined_counts() -> None:
    here = serving(FUSE)
    assert here.accept(tensor("left", 1, expires_at=2.0), 0.0) == []
    (run,) = here.accept(tensor("right", 1, expires_at=1.75), 0.25)
    assert run.header.expires_at == 1.75


def test_a_chain_stays_in_the_process() -> None:
    here = serving(LEFT, RIGHT, FUSE)
    left, right = here.accept(tensor("input", 1), 0.0)
    made = here.produced(left, {"left": np.zeros((1, 2), np.float32)}, 0.0, 0.1, 0.1)
    assert (made.runs, made.tensors, made.result) == ([], [], None)
    made = here.produced(right, {"right": np.zeros((1, 2), np.float32)}, 0.1, 0.1, 0.2)
    (fusion,) = made.runs
    assert made.tensors == []
    assert fusion.partition == FUSE
    assert [hop.partition for hop in fusion.header.trace] == ["left-branch", "right-branch"]


def answer(logits: Any, missing: bool = False) -> Any:
    here = serving(FUSE)
    hop = Hop("stem", "other", 0.0, 0.1)
    runs = here.accept(tensor("left", 9, trace=(hop,)), 0.0)
    runs += here.expire(PATIENCE) if missing else here.accept(tensor("right", 9, trace=(hop,)), 0.0)
    outputs = {"logits": np.asarray(logits, np.float32)}
    return here.produced(runs[0], outputs, 0.0, 0.1, 0.1).result


def test_the_answer_of_a_fusion() -> None:
    result = answer([[0.0, np.log(3.0)]])
    assert (result.frame_id, result.epoch, result.label, result.missing) == (9, 1, "dog", ())
    assert result.confidence == pytest.approx(0.75)
    # Both branches came by one stem, and it is told once.
    assert [hop.partition for hop in result.latency] == ["stem", "fusion"]


def test_the_answer_says_what_it_went_without() -> None:
    assert answer([[1.0, 0.0]], missing=True).missing == ("right",)


def test_an_answer_beyond_the_classes_is_its_number() -> None:
    assert answer([[0, 0, 1]]).label == "2"


@pytest.mark.parametrize("logits", [[[np.nan, 1.0]], [[np.inf, 1.0]], [[-np.inf, np.nan]], [[]]])
def test_a_network_gone_wrong_answers_without_confidence(logits: Any) -> None:
    # An answer that JSON cannot hold would leave its frame unanswered for ever.
    result = answer(logits)
    assert result.confidence == 0.0
    assert type(result).decode(result.encode()) == result


def test_a_run_names_epoch_and_camera() -> None:
    (run,) = serving(LEFT).accept(tensor("input", 1), 0.0)
    assert isinstance(run, PartitionRun)
    assert (run.header.deployment, run.header.epoch, run.header.camera) == ("digits", 1, "door")
