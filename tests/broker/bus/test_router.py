"""Topic filters, against the rules of MQTT and against a slower reading of them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.bus.router import Router, check_filter, matches
from broker.bus.seam import Message

LEVELS = st.sampled_from(["a", "b", "fog", "", "$SYS"])
TOPICS = st.lists(LEVELS, min_size=1, max_size=5).map("/".join).filter(bool)
FILTERS = st.builds(
    lambda levels, rest: "/".join([*levels, *rest]),
    st.lists(st.sampled_from(["a", "b", "fog", "", "$SYS", "+"]), max_size=5),
    st.sampled_from([[], ["#"]]),
).filter(bool)


def oracle(topic_filter: str, topic: str) -> bool:
    """Read the filter as a regular expression."""
    if topic.startswith("$") and topic_filter[0] in "+#":
        return False
    pattern = "/".join("[^/]*" if level == "+" else level for level in topic_filter.split("/"))
    pattern = pattern.replace("$", re.escape("$"))
    pattern = ".*" if pattern == "#" else re.sub("/#$", "(/.*)?", pattern)
    return re.fullmatch(pattern, topic) is not None


@given(FILTERS, TOPICS)
def test_matches_as_the_oracle_does(topic_filter: str, topic: str) -> None:
    check_filter(topic_filter)
    assert matches(topic_filter, topic) == oracle(topic_filter, topic)


@given(st.sets(FILTERS, max_size=8), st.lists(TOPICS, max_size=8))
def test_routes_to_every_filter_that_matches(filters: set[str], topics: list[str]) -> None:
    router, got = Router(), list[tuple[str, str]]()
    for wanted in filters:
        router.subscribe(wanted, lambda message, wanted=wanted: got.append((wanted, message.topic)))  # type: ignore[misc]
    assert set(router.filters) == filters
    for topic in [*topics, *topics]:  # the second time from the cache
        got.clear()
        router.deliver(Message(topic, b""))
        assert sorted(got) == sorted((wanted, topic) for wanted in filters if oracle(wanted, topic))
    for wanted in filters:
        assert router.unsubscribe(wanted)
        assert not router.unsubscribe(wanted)
    assert all(router.handlers(topic) == () for topic in topics)


@pytest.mark.parametrize("topic_filter", ["", "a#", "#/a", "a/#/b", "a+", "a/b+/c", "a\0"])
def test_what_is_no_filter(topic_filter: str) -> None:
    with pytest.raises(ValueError, match="is not a topic filter"):
        Router().subscribe(topic_filter, lambda _: None)


def test_the_cache_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("broker.bus.router._CACHE_LIMIT", 3)
    router = Router()
    router.subscribe("#", lambda _: None)
    for number in range(10):
        assert len(router.handlers(f"t/{number}")) == 1
    assert len(router._found) <= 3
