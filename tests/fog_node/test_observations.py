"""What a node tells of its own work: times of late, totals since its start."""

import pytest

from broker.messages import Result
from fog_node.observations import RECENT_S, Observations


def result(
    *missing: str, deployment: str = "digits", camera: str = "door", frame_id: int = 1
) -> Result:
    return Result(
        deployment=deployment, camera=camera, frame_id=frame_id, source="", label="cat", confidence=1.0,
        epoch=1, missing=missing, latency=(),
    )  # fmt: skip


def test_seconds_are_the_median_of_late() -> None:
    seen = Observations()
    for at, seconds in ((0.0, 9.0), (5.0, 0.1), (5.5, 0.3), (6.0, 0.2)):
        seen.ran("digits", "fusion", seconds, at)
    assert seen.fields(6.0)["seconds"] == {"digits": {"fusion": 0.2}}
    assert seen.fields(6.1 + RECENT_S)["seconds"] == {}


def test_answers_are_totals_and_say_what_was_missing() -> None:
    seen = Observations()
    seen.answered(result(), 0.1, 0.0)
    seen.answered(result("left", frame_id=2), 0.3, 0.5)
    assert seen.fields(0.6)["response_s"] == {"digits": pytest.approx(0.2)}
    fields = seen.fields(60.0)
    assert (fields["answers"], fields["incomplete"]) == ({"digits": 2}, {"digits": 1})
    assert fields["missing"] == {"digits": {"left": 1}}
    assert fields["response_s"] == {}


def test_only_the_first_answer_to_a_frame_counts() -> None:
    # A tensor that the network doubled opens a second wait, and its answer lacks everything else.
    seen = Observations()
    seen.answered(result(), 0.1, 0.0)
    seen.answered(result("left", "right"), 5.1, 0.1)
    fields = seen.fields(0.2)
    assert (fields["answers"], fields["incomplete"]) == ({"digits": 1}, {"digits": 0})
    assert fields["response_s"] == {"digits": 0.1}


def test_cameras_are_counted_as_long_as_their_frames_come() -> None:
    seen = Observations()
    seen.answered(result(), 0.1, 0.0)
    seen.answered(result(camera="yard"), 0.1, 8.0)
    assert seen.fields(9.0)["cameras"] == {"digits": 2}
    assert seen.fields(12.0)["cameras"] == {"digits": 1}
    assert seen.fields(60.0)["cameras"] == {}


def test_a_deployment_that_ended_is_forgotten() -> None:
    seen = Observations()
    for name in ("digits", "faces"):
        seen.answered(result(deployment=name), 0.1, 0.0)
        seen.ran(name, "fusion", 0.1, 0.0)
    seen.forget({"faces"})
    fields = seen.fields(0.0)
    assert all(list(fields[name]) == ["faces"] for name in ("answers", "missing", "seconds"))
