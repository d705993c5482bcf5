"""The queue before the processor: priority, then age; bounded; and of a live camera the newest."""

from hypothesis import given
from hypothesis import strategies as st

from broker.frame import FrameHeader
from fog_node.run_queue import LIVE_DEPTH, RunQueue
from fog_node.serving import PartitionRun
from tests.fog_node.scene import part


def a_run(
    frame_id: int,
    *,
    priority: float = 0.0,
    expires_at: float | None = None,
    camera: str = "door",
    epoch: int = 1,
    name: str = "p",
) -> PartitionRun:
    header = FrameHeader("d", epoch, camera, frame_id, expires_at=expires_at)
    taken = part(name, ("x",), ("y",), priority=priority)
    return PartitionRun(header, taken, inputs={}, missing=(), ready_at=0.0)


def drained(queue: RunQueue, now: float = 0.0) -> list[int]:
    order = []
    while (run := queue.pop(now)) is not None:
        order.append(run.header.frame_id)
    return order


@given(st.lists(st.integers(0, 3)))
def test_the_highest_priority_first_then_the_longest_ready(priorities: list[int]) -> None:
    queue = RunQueue()
    for frame_id, priority in enumerate(priorities):
        queue.push(a_run(frame_id, priority=priority))
    assert drained(queue) == sorted(range(len(priorities)), key=lambda n: (-priorities[n], n))


def test_of_a_live_camera_the_newest_win() -> None:
    queue = RunQueue()
    for frame_id in range(5):
        queue.push(a_run(frame_id, expires_at=9.0))
    assert queue.drops["superseded"] == 5 - LIVE_DEPTH
    assert drained(queue) == [3, 4]


def test_live_cameras_and_partitions_do_not_supersede_each_other() -> None:
    queue = RunQueue()
    for camera in ("door", "hall"):
        for name in ("p", "q"):
            for frame_id in range(LIVE_DEPTH):
                queue.push(a_run(frame_id, expires_at=9.0, camera=camera, name=name))
    assert len(queue) == 4 * LIVE_DEPTH


def test_of_a_reliable_camera_all_wait() -> None:
    queue = RunQueue()
    for frame_id in range(50):
        queue.push(a_run(frame_id))
    assert drained(queue) == list(range(50))


def test_what_is_too_late_is_not_run() -> None:
    queue = RunQueue()
    queue.push(a_run(1, expires_at=5.0))
    queue.push(a_run(2))
    assert drained(queue, now=5.0) == [2]
    assert queue.drops["expired"] == 1


@given(st.integers(1, 5), st.lists(st.integers(0, 3)))
def test_it_never_holds_more_than_its_limit(limit: int, priorities: list[int]) -> None:
    queue = RunQueue(limit)
    for frame_id, priority in enumerate(priorities):
        queue.push(a_run(frame_id, priority=priority))
        assert len(queue) <= limit
    assert sorted(drained(queue)) == list(range(len(priorities)))[-limit:]
    assert queue.drops["queue_full"] == max(0, len(priorities) - limit)


def test_an_epoch_that_is_served_no_more_is_forgotten() -> None:
    queue = RunQueue()
    for frame_id in range(6):
        queue.push(a_run(frame_id, epoch=1 + frame_id % 2))
    queue.forget("d", 1)
    assert queue.drops["retired"] == 3
    assert drained(queue) == [1, 3, 5]
