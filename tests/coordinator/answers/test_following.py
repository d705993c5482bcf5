"""Whose answers are followed, each once, how they read, and what is said where none can come."""

import time

import pytest

from broker.bus.seam import Message
from broker.messages import HopTime, Result, Status
from broker.topics import ACTIVE, RESULT, SPEC, STATUS
from coordinator.answers.following import Following, Heard, NothingServesError
from coordinator.answers.lines import as_json, line
from tests.coordinator.answers.answering_site import CAMERA, NAME, NODE, SITE, active

NOON = time.mktime((2026, 11, 25, 12, 0, 0, 0, 0, -1))


def result(frame_id: int = 1, **changes: object) -> Result:
    said = {
        "deployment": NAME,
        "camera": CAMERA,
        "frame_id": frame_id,
        "source": "hall_001.jpg",
        "label": "open",
        "confidence": 0.974,
        "epoch": 1,
        "missing": (),
        "latency": (HopTime(partition="fusion", node=NODE, queued_s=0.0, run_s=0.01),),
        "age_s": 0.043,
    }
    return Result.model_validate(said | changes)


def answer(told: Result, node: str = NODE, camera: str = CAMERA) -> Message:
    return Message(RESULT.at(SITE, deployment=NAME, camera=camera, node=node), told.encode())


def served() -> Following:
    following = Following(SITE, NAME, "", "me")
    following.hear(Message(SPEC.at(SITE, deployment=NAME), b"{}"))
    following.hear(Message(ACTIVE.at(SITE, deployment=NAME), active().encode()))
    following.settle()
    return following


def ends(following: Following) -> str:
    with pytest.raises(NothingServesError) as caught:
        following.settle()
    return str(caught.value)


def test_each_frames_answer_comes_once_from_who_may_give_it() -> None:
    following = served()
    assert following.hear(answer(result())) == Heard(result(), NODE)
    assert following.hear(answer(result(label="shut"))) is None  # the standby answered too
    assert following.hear(answer(result(2), node="thief")) is None
    assert following.hear(answer(result(2, epoch=9))) is None
    assert following.hear(answer(result(2), camera="yard")) is None
    assert following.hear(Message(answer(result()).topic, b"{")) is None
    assert following.bad_messages == 2
    assert following.hear(answer(result(2))) is not None


def test_a_line_says_what_is_known_and_what_is_not() -> None:
    assert line(Heard(result(), NODE), NOON) == "12:00:00  hall  open 97 %  hall_001.jpg  43 ms"
    unsure = result(unknown=True, confidence=0.41, missing=("b1-logits",), source="")
    assert line(Heard(unsure, NODE), NOON) == (
        "12:00:00  hall  unknown (open 41 %)  without b1-logits  43 ms"
    )
    told = as_json(Heard(unsure, NODE), NOON)
    assert (told["time"], told["node"], told["unknown"], told["missing"]) == (
        NOON,
        NODE,
        True,
        ["b1-logits"],
    )


def test_one_camera_is_one_filter() -> None:
    assert Following(SITE, NAME, "", "me").results == "fog/v2/home/result/door/+/+"
    assert Following(SITE, NAME, "hall", "me").results == "fog/v2/home/result/door/hall/+"


def test_where_nothing_serves_it_says_why() -> None:
    following = Following(SITE, NAME, "", "me")
    assert ends(following) == "no deployment door in site home"
    following.hear(Message(SPEC.at(SITE, deployment=NAME), b"{}"))
    assert "no coordinator says why" in ends(following)
    status = Status(deployment=NAME, revision=1, phase="waiting", reason="too little memory")
    following.hear(Message(STATUS.at(SITE, deployment=NAME), status.encode()))
    assert ends(following) == "nothing serves door yet; it is waiting: too little memory"


def test_an_undeploy_ends_it() -> None:
    following = served()
    with pytest.raises(NothingServesError, match="door ended: it was undeployed"):
        following.hear(Message(ACTIVE.at(SITE, deployment=NAME), b""))
