"""The queue before the processor: age, then priority; bounded; each run once."""

from hypothesis import given
from hypothesis import strategies as st

from broker.frame import FrameHeader
from fog_node.partition_run import PartitionRun
from fog_node.run_queue import RunQueue
from tests.fog_node.scene import part


def a_run(
    frame_id: int,
    *,
    priority: float = 0.0,
    expires_at: float | None = None,
    since: float = 0.0,
    camera: str = "door",
    epoch: int = 1,
    name: str = "p",
) -> PartitionRun:
    header = FrameHeader("d", epoch, camera, frame_id, since=since, expires_at=expires_at)
    taken = part(name, ("x",), ("y",), priority=priority)
    return PartitionRun(header, taken, inputs={}, missing=(), ready_at=0.0)


def drained(queue: RunQueue, now: float = 0.0) -> list[int]:
    order = []
    while (run := queue.pop(now)) is not None:
        order.append(run.header.frame_id)
    return order


ages = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)))


@given(ages)
def test_the_oldest_frame_first_then_the_highest_priority_then_the_longest_ready(
    runs: list[tuple[int, int]],
) -> None:
    queue = RunQueue()
    for frame_id, (since, priority) in enumerate(runs):
        queue.push(a_run(frame_id, since=since, priority=priority), 0.0)
    assert drained(queue) == sorted(range(len(runs)), key=lambda n: (runs[n][0], -runs[n][1], n))


def test_a_run_that_waits_is_not_added_again() -> None:
    queue = RunQueue()
    queue.push(a_run(1), 0.0)
    queue.push(a_run(1), 0.0)  # its camera sent the frame again
    queue.push(a_run(1, camera="hall"), 0.0)
    assert drained(queue) == [1, 1]
    assert queue.drops["repeated"] == 1
    queue.push(a_run(1), 0.0)
    assert drained(queue) == [1]


def test_of_a_reliable_camera_all_wait() -> None:
    queue = RunQueue()
    for frame_id in range(50):
        queue.push(a_run(frame_id), 0.0)
    assert drained(queue) == list(range(50))


def test_what_is_too_late_is_not_run() -> None:
    queue = RunQueue()
    queue.push(a_run(1, expires_at=5.0), 0.0)
    queue.push(a_run(2), 0.0)
    assert drained(queue, now=5.0) == [2]
    assert queue.drops["expired"] == 1


@given(st.integers(1, 5), st.lists(st.integers(0, 3)))
def test_full_it_drops_the_youngest_frames(limit: int, ages: list[int]) -> None:
    queue = RunQueue(limit)
    for frame_id, since in enumerate(ages):
        queue.push(a_run(frame_id, since=since), 0.0)
        assert len(queue) <= limit
    oldest = sorted(range(len(ages)), key=lambda n: (ages[n], n))[:limit]
    assert drained(queue) == oldest
    assert queue.drops["queue_full"] == max(0, len(ages) - limit)


def test_full_it_drops_what_nobody_waits_for_first() -> None:
    queue = RunQueue(limit=2)
    queue.push(a_run(1, expires_at=5.0), 0.0)
    queue.push(a_run(2, since=1.0), 0.0)
    queue.push(a_run(3, since=2.0), 6.0)
    assert drained(queue, now=6.0) == [2, 3]
    assert (queue.drops["expired"], queue.drops["queue_full"]) == (1, 0)


def test_an_epoch_that_is_served_no_more_is_forgotten() -> None:
    queue = RunQueue()
    for frame_id in range(6):
        queue.push(a_run(frame_id, epoch=1 + frame_id % 2), 0.0)
    queue.forget("d", 1)
    assert queue.drops["retired"] == 3
    assert drained(queue) == [1, 3, 5]
