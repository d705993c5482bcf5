"""The standby of a fusion: silent while the first answers, and there when it does not."""

from broker.frame import FrameHeader
from fog_node.partition_run import PartitionRun
from fog_node.standby import HOLD_S, Standby
from tests.fog_node.scene import FUSE


def a_run(frame_id: int) -> PartitionRun:
    return PartitionRun(FrameHeader("d", 1, "door", frame_id), FUSE, {}, (), 0.0)


def test_what_the_first_answers_it_does_not() -> None:
    standby = Standby()
    assert standby.joined(a_run(1), 0.0) == []
    standby.heard(("door", 1))
    assert standby.due(10.0) == []
    assert standby.next_due() is None


def test_an_answer_that_overtakes_its_own_join_counts_too() -> None:
    standby = Standby()
    standby.heard(("door", 1))
    assert standby.joined(a_run(1), 0.0) == []
    assert standby.due(10.0) == []


def test_what_the_first_does_not_answer_in_time_it_does() -> None:
    standby = Standby()
    run = a_run(1)
    standby.joined(run, 0.0)
    assert standby.next_due() == HOLD_S
    assert standby.due(HOLD_S - 0.01) == []
    assert standby.due(HOLD_S) == [run]


def test_a_silent_first_is_not_waited_for_until_it_is_heard_again() -> None:
    standby = Standby()
    for frame_id in (1, 2, 3):
        standby.joined(a_run(frame_id), 0.05 * frame_id)
    assert [run.header.frame_id for run in standby.due(0.1 + HOLD_S)] == [1, 2, 3]
    assert [run.header.frame_id for run in standby.joined(a_run(4), 1.0)] == [4]
    standby.heard(("door", 4))
    assert standby.joined(a_run(5), 1.1) == []


def test_a_frame_that_was_sent_again_is_answered_though_the_first_answered_it_before() -> None:
    standby = Standby()
    standby.heard(("door", 1))  # and this answer was lost, and the first is gone
    assert standby.joined(a_run(1), 0.0) == []
    again = a_run(1)
    standby.joined(again, 1.0)
    assert standby.due(1.0 + HOLD_S) == [again]
