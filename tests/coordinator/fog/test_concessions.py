"""What is conceded where nothing fits, and for how long."""

from coordinator.fog.concessions import Concessions
from coordinator.fog.knowledge import Knowledge
from tests.coordinator.fog.toys import info


def known(*nodes: str, unused: str = "") -> Knowledge:
    return Knowledge({node: info(node) for node in nodes}, unused=dict.fromkeys(unused, "is late"))


def test_room_is_conceded_once_and_asked_for_again_when_something_changed() -> None:
    concessions = Concessions()
    assert [concessions.make_room(), concessions.make_room()] == [True, False]
    concessions.withdraw()
    assert concessions.make_room()


def test_nodes_are_conceded_only_if_there_are_such() -> None:
    concessions = Concessions()
    assert not concessions.use_all(known("a", "b"), {})
    assert concessions.use_all(known("a", "b", unused="b"), {})


def test_nodes_are_used_all_the_same_as_long_as_the_others_are_the_same() -> None:
    concessions = Concessions()
    late = known("a", "b", unused="b")
    assert concessions.applied(late, {}) == late
    concessions.make_room()
    concessions.use_all(late, {})
    assert not concessions.makes_room
    assert concessions.applied(late, {}).without({}).keys() == {"a", "b"}
    joined = known("a", "b", "c", unused="b")
    assert concessions.applied(joined, {}).without({}).keys() == {"a", "c"}
