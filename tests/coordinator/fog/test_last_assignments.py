"""A node that comes (back) is told all that its topic does not retain, and nobody else is told anything."""

from broker.messages import AssignedPartition, Assignment
from coordinator.fog.last_assignments import LastAssignments
from tests.coordinator.fog.toys import info

WORK = AssignedPartition(
    id="branch",
    sha256="0" * 64,
    bytes=1,
    memory_bytes=1,
    inputs=("x",),
    outputs=("y",),
    priority=0.0,
)


def word(deployment: str, epoch: int = 1, *, work: bool = True) -> Assignment:
    return Assignment(
        deployment=deployment, epoch=epoch, phase="serve", partitions=(WORK,) if work else ()
    )


def told(*words: Assignment) -> LastAssignments:
    """Return orders to a node that is there."""
    orders = LastAssignments()
    assert orders.again({"pi": info("pi")}) == []
    for each in words:
        orders.note("pi", each)
    return orders


def test_who_is_there_is_told_nothing_again() -> None:
    assert told(word("digits"), word("faces")).again({"pi": info("pi")}) == []


def test_one_word_is_retained_and_need_not_be_said_again() -> None:
    orders = told(word("digits"), word("digits", 2))
    orders.again({})
    assert orders.again({"pi": info("pi")}) == []


def test_who_comes_back_is_told_all_and_work_last() -> None:
    words = word("digits"), word("faces"), word("cars", work=False)
    orders = told(*words)
    orders.again({})
    assert orders.again({"pi": info("pi")}) == [("pi", each) for each in (words[2], *words[:2])]
    assert orders.again({"pi": info("pi")}) == []


def test_a_new_session_is_told_all_at_once_and_what_is_idle_is_forgotten() -> None:
    orders = told(word("digits"), word("faces"), word("cars", work=False))
    assert len(orders.again({"pi": info("pi", session=2)})) == 3
    assert len(orders.again({"pi": info("pi", session=3)})) == 2
