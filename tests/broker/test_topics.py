"""Topics: every name fits into one level, and what is filled in can be read back."""

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.bus.router import matches
from broker.topics import (
    FRAME,
    NODE_STATE,
    TOPICS,
    InvalidIdError,
    Topic,
    check_id,
    escape,
)

ids = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?", fullmatch=True)
tensor_names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
each_topic = pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.pattern)


def fields(topic: Topic) -> list[str]:
    return [level[1:-1] for level in topic.pattern.split("/") if level.startswith("{")]


@given(tensor_names)
def test_an_escaped_name_is_one_portable_level_and_comes_back(name: str) -> None:
    level = escape(name)
    assert unquote(level) == name
    assert not set(level) & set("/+#$ \0.*>~")
    assert level.isascii()


@given(tensor_names, tensor_names)
def test_two_names_never_share_a_level(one: str, other: str) -> None:
    assert (escape(one) == escape(other)) == (one == other)


@given(st.sampled_from(TOPICS), ids, st.data())
def test_a_topic_its_filter_and_its_names_agree(
    topic: Topic, site: str, data: st.DataObject
) -> None:
    names = {field: data.draw(ids) for field in fields(topic)}
    text = topic.at(site, **names)
    assert topic.names(text) == names
    assert matches(topic.every(site), text)
    assert topic.every(site, **names) == text


@each_topic
def test_no_topic_has_more_than_seven_slashes(topic: Topic) -> None:
    assert topic.at("site", **dict.fromkeys(fields(topic), "x")).count("/") <= 7


@each_topic
def test_a_topic_fits_no_pattern_but_its_own(topic: Topic) -> None:
    text = topic.at("site", **dict.fromkeys(fields(topic), "7"))
    fitting = [known for known in TOPICS if known.names(text) is not None]
    assert fitting == [topic]


def test_a_filter_leaves_open_what_is_not_said() -> None:
    assert FRAME.every("home", deployment="digits") == "fog/v2/home/frame/digits/+"
    assert NODE_STATE.every("home") == "fog/v2/home/node/+/state"


def test_another_topic_has_no_names() -> None:
    assert NODE_STATE.names("fog/v2/home/node/a/info") is None
    assert NODE_STATE.names("fog/v2/home/node/a") is None
    assert NODE_STATE.names("") is None


@given(ids)
def test_an_id_is_taken(name: str) -> None:
    assert check_id("id", name) == name


@pytest.mark.parametrize(
    "name", ["", "A", "a_b", "a.b", "-a", "a-", "a/b", "+", "#", "ä", "a\n", "a" * 65]
)
def test_what_is_no_id_is_refused_by_name(name: str) -> None:
    with pytest.raises(InvalidIdError, match=r"camera: .* is not an id") as caught:
        check_id("camera", name)
    assert (caught.value.field, caught.value.value) == ("camera", name)
