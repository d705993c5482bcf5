"""What a Home Assistant is told of a camera, when, and that nothing of it is left."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from broker.topics import HOME_ASSISTANT_CONFIG, PICTURE, STATE
from coordinator.answers.deciding_frames import CALM_S, MOST_OF_A_CAMERA
from coordinator.answers.discovery import MOST_OPTIONS, config, config_topic, device_id
from coordinator.answers.home_assistant import DELAY_S, REST_S, STATES_AFTER_S
from coordinator.answers.jpeg import jpeg_of
from coordinator.answers.rules import Rules
from tests.coordinator.answers import home_assistant_rules
from tests.coordinator.answers.answering_site import (
    CAMERA,
    KEY,
    NAME,
    PREFIX,
    SITE,
    AnsweringSite,
    active,
)

PICTURE_TOPIC = PICTURE.at(SITE, deployment=NAME, camera=CAMERA)
STATE_TOPIC = STATE.at(SITE, deployment=NAME, camera=CAMERA)
CONFIG_TOPIC = config_topic(SITE, KEY, PREFIX)


def shown() -> AnsweringSite:
    """Return a site that a Home Assistant is shown, with a camera that came to a state."""
    site = AnsweringSite(shown=PREFIX)
    site.answers("open", "open", "open")
    return site


def grey(site: AnsweringSite) -> int:
    """Return the middle grey of the picture that is retained."""
    with Image.open(io.BytesIO(site.retained[PICTURE_TOPIC])) as picture:
        return int(np.median(np.asarray(picture)))


def test_what_is_told_of_a_camera_keeps_home_assistants_rules() -> None:
    site = shown()
    assert home_assistant_rules.TOPIC.fullmatch(CONFIG_TOPIC.removeprefix(f"{PREFIX}/"))
    told = site.device
    assert told is not None
    home_assistant_rules.check(told)
    assert told["components"]["state"]["state_topic"] == STATE_TOPIC
    assert told["components"]["state"]["options"] == ["open", "shut", "ajar"]
    assert told["components"]["state"]["default_entity_id"] == "sensor.door_hall"
    assert told["components"]["picture"]["image_topic"] == PICTURE_TOPIC


@pytest.mark.parametrize(
    "classes",
    [("",), ("a" * 256, "a" * 255), tuple(map(str, range(MOST_OPTIONS + 1))), ("{{ 1 }}", "None")],
)
def test_odd_classes_are_told_by_the_rules_too(classes: tuple[str, ...]) -> None:
    state = shown().state()
    assert state is not None
    told = json.loads(config(SITE, state, active(classes=classes), "1.0"))
    home_assistant_rules.check(told)
    assert ("options" in told["components"]["state"]) == (
        1 <= len(set(classes)) <= 2 and "" not in classes
    )


def test_two_cameras_are_never_one_device() -> None:
    assert device_id("a", ("b-c", "d")) != device_id("a-b", ("c", "d"))
    assert len({device_id("a", ("b", "c-d")), device_id("a", ("b-c", "d"))}) == 2


def test_a_device_is_told_of_once_and_again_when_what_serves_is_another() -> None:
    site = shown()
    assert [each.topic for each in site.said] == [STATE_TOPIC, CONFIG_TOPIC]
    site.answers("shut", "shut", "shut")
    assert [each.topic for each in site.said].count(CONFIG_TOPIC) == 1
    site.serve(active(epoch=2))
    assert [each.topic for each in site.said].count(CONFIG_TOPIC) == 1
    site.serve(active(epoch=3, classes=("open", "shut")))
    assert site.device is not None
    assert site.device["components"]["state"]["options"] == ["open", "shut"]


def test_nothing_retained_is_left_of_a_deployment_that_ended() -> None:
    site = shown()
    site.answer("shut")
    site.frame(5, 9)
    site.frame(6, 9)
    site.answers("shut", "shut")
    assert site.retained.keys() == {STATE_TOPIC, CONFIG_TOPIC, PICTURE_TOPIC}
    site.serve(known=())
    assert site.retained == {}


@pytest.mark.parametrize(("prefix", "left"), [("", 1), ("else/where", 2)])
def test_who_is_shown_it_no_more_has_nothing_left(prefix: str, left: int) -> None:
    before = shown()
    before.answer("open")
    after = AnsweringSite(retained=before.retained, shown=prefix)
    assert CONFIG_TOPIC not in after.retained
    assert len(after.retained) == left
    state = after.state()
    assert state is not None
    assert state.home_assistant == prefix


def test_when_home_assistant_starts_devices_are_told_again_and_then_states() -> None:
    site = shown()
    site.said.clear()
    site.states.status(b"offline", site.now)
    assert site.pass_time(DELAY_S[1]) == []
    site.states.status(b"online", site.now)
    assert site.pass_time(0.2) == []
    assert [each.topic for each in site.pass_time(DELAY_S[1])] == [CONFIG_TOPIC]
    assert [each.topic for each in site.pass_time(STATES_AFTER_S)] == [STATE_TOPIC]
    site.states.status(b"online", site.now)  # too soon
    assert site.pass_time(5.0) == []
    site.pass_time(REST_S)
    site.states.status(b"online", site.now)
    assert site.pass_time(DELAY_S[1]) != []


def test_the_picture_is_that_of_the_answer_that_decided() -> None:
    site = shown()
    assert site.states.watched(site.now) == {KEY}  # its first picture was not heard
    site.frame(4, 40)
    site.answer("open")
    assert grey(site) == 40
    assert site.states.watched(site.now) == frozenset()  # nothing is heard while nothing changes
    site.answer("shut")
    assert site.states.watched(site.now) == {KEY}
    for number in (6, 7, 8):
        site.frame(number, 10 * number)
    site.answers("shut", "shut")
    assert grey(site) == 70


def test_where_its_frame_was_not_heard_it_is_the_next_that_says_the_same() -> None:
    site = AnsweringSite(shown=PREFIX, equal=1)
    site.answer("open")
    assert PICTURE_TOPIC not in site.retained
    site.frame(2, 20)
    site.frame(3, 30)
    site.answer("open", unknown=True)
    site.answer("open")
    assert grey(site) == 30


def test_frames_are_heard_no_more_when_the_old_label_is_there_again() -> None:
    site = shown()
    site.frame(4, 40)
    site.answers("open", "shut", "open")
    assert site.states.watched(site.now + CALM_S - 0.1) == {KEY}
    assert site.states.watched(site.now + CALM_S) == frozenset()


def test_frames_that_nobody_answers_are_few() -> None:
    site = shown()
    for number in range(100, 100 + 3 * MOST_OF_A_CAMERA):
        site.frame(number, 1)
    home = site.states._home_assistant
    assert home is not None
    assert sum(map(len, home._frames._frames.values())) == MOST_OF_A_CAMERA


def test_a_plain_coordinator_hears_no_frames() -> None:
    site = AnsweringSite()
    site.answers("open", "shut", "open")
    site.frame(4, 40)
    assert site.states.watched(site.now) == frozenset()


def test_a_frame_of_floats_shows_what_the_camera_saw_and_what_is_no_picture_shows_nothing() -> None:
    taken = active().input
    pixels = np.full((1, 1, 4, 4), 200, np.uint8)
    floats = ((pixels / 255 - 0.5) / 0.5).astype(np.float32)
    for data in (pixels, floats):
        with Image.open(io.BytesIO(jpeg_of(data, taken) or b"")) as picture:
            assert abs(int(np.median(np.asarray(picture))) - 200) <= 1
    nothing = np.full((1, 1, 4, 4), np.nan, np.float32)
    assert jpeg_of(nothing, taken) is not None
    for shape in ((1, 2, 4, 4), (2, 1, 4, 4), (1, 1, 0, 4), (4, 4), ()):
        assert jpeg_of(np.zeros(shape, np.uint8), taken) is None


@pytest.mark.parametrize("prefix", ["a/b/c/d", "+/x", "#", "", "a//b", "/a"])
def test_a_prefix_is_a_topic(prefix: str) -> None:
    if prefix:
        with pytest.raises(ValueError, match="home_assistant: "):
            Rules(home_assistant=prefix)
    assert HOME_ASSISTANT_CONFIG.under("x/y").at(SITE, device="d") == "x/y/device/d/config"
