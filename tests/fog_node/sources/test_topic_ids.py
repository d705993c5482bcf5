"""A topic's wildcard levels name its camera."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.topics import check_id
from fog_node.sources.topic_ids import camera_id, has_wildcard, portable_id


@pytest.mark.parametrize(
    ("topic_filter", "topic", "camera"),
    [
        ("frigate/+/cat/snapshot", "frigate/front-door/cat/snapshot", "front-door"),
        ("frigate/+/cat/snapshot", "frigate/Front_Door/cat/snapshot", "front-door"),
        ("frigate/+/+/snapshot", "frigate/garage/cat/snapshot", "garage-cat"),
        ("home/cams/#", "home/cams/upstairs/left/jpg", "upstairs-left-jpg"),
        ("/+/esp32/image", "/yard/esp32/image", "yard"),
        ("cam/+/jpg", "cam/Haustür/jpg", "haustur"),
    ],
)
def test_the_levels_that_wildcards_match_are_the_id(
    topic_filter: str, topic: str, camera: str
) -> None:
    assert has_wildcard(topic_filter)
    assert camera_id(topic_filter, topic) == camera


def test_a_topic_is_no_filter_of_several() -> None:
    assert not has_wildcard("frigate/door/snapshot")


@given(st.text())
def test_any_text_becomes_an_id(text: str) -> None:
    made = portable_id(text)
    assert check_id("camera", made) == portable_id(text)


def test_texts_that_have_nothing_portable_stay_apart() -> None:
    assert portable_id("大门") != portable_id("后院")
    assert portable_id("a" * 100) != portable_id("a" * 101)
