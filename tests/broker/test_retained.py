"""What the coordinator publishes: once, and again where another one wrote over it."""

from broker.actions import Publish
from broker.messages import Status
from broker.retained import Retained
from broker.topics import STATUS
from tests.coordinator.fog.toys import NAME, SITE

TOPIC = STATUS.at(SITE, deployment=NAME)


def status(epoch: int) -> Status:
    return Status(deployment=NAME, revision=1, phase="serving", epoch=epoch)


def retained(*epochs: int) -> Retained:
    """Return what knows that these were published, the echoes yet to come."""
    known = Retained(SITE)
    for epoch in epochs:
        assert known.publish(STATUS, status(epoch), deployment=NAME)
    return known


def heard(known: Retained, epoch: int, now: float = 0.0) -> list[Publish]:
    known.heard(STATUS, status(epoch).encode(), deployment=NAME)
    return known.again(now)


def test_the_same_is_not_said_twice() -> None:
    assert retained(1).publish(STATUS, status(1), deployment=NAME) == []


def test_echoes_of_what_was_said_before_are_not_contradicted() -> None:
    known = retained(1, 2, 1)
    assert [heard(known, epoch) for epoch in (1, 2, 1)] == [[], [], []]


def test_an_echo_that_got_lost_is_not_waited_for() -> None:
    known = retained(1, 2, 3)
    assert heard(known, 3) == []
    assert heard(known, 1) != []  # by now it can only come from another one


def test_what_another_one_wrote_is_written_over_once_a_second() -> None:
    known = retained(1)
    heard(known, 1)
    again = [Publish(TOPIC, status(1).encode(), retain=True)]
    assert heard(known, 9) == again
    assert heard(known, 9, 0.5) == []
    assert known.again(1.0) == again
    assert known.again(5.0) == []


def test_what_was_cleared_is_nobodys_to_defend() -> None:
    known = retained(1)
    assert known.clear(STATUS, deployment=NAME) == [Publish(TOPIC, b"", retain=True)]
    assert heard(known, 9) == []
    assert not known.published(STATUS, deployment=NAME)
