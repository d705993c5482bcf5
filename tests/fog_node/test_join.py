"""The join: whole frames only, each once, and a dead branch costs few of them their patience."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from broker.frame import FrameHeader, FrameTensor
from fog_node.join import Join, Joined

NAMES = ("a", "b", "c")
PATIENCE = 10.0


def tensor(name: str, frame_id: int, camera: str = "door") -> FrameTensor:
    return FrameTensor(FrameHeader("d", 1, camera, frame_id), name, np.array([frame_id]))


def a_join(needed: int = 1, limit: int = 256) -> Join:
    return Join(NAMES, needed, PATIENCE, limit)


def feed(join: Join, names: str, frame_id: int, now: float = 0.0) -> list[Joined]:
    return [whole for name in names if (whole := join.add(tensor(name, frame_id), now)) is not None]


arrivals = st.tuples(st.sampled_from(NAMES), st.sampled_from(["door", "hall"]), st.integers(0, 4))


@given(st.lists(arrivals, unique=True), st.integers(1, 3))
def test_frames_and_cameras_are_never_mixed_and_each_is_joined_once(
    come: list[tuple[str, str, int]], needed: int
) -> None:
    join = a_join(needed)
    joined = []
    for name, camera, frame_id in come:
        whole = join.add(tensor(name, frame_id, camera), 0.0)
        if whole is not None:
            assert whole.missing == ()
            joined.append(whole)
    late = join.expire(PATIENCE)
    assert all(len(frame.inputs) >= needed for frame in late)
    joined += late
    for frame in joined:
        assert {each.header.key for each in frame.inputs.values()} == {frame.key}
        assert set(frame.inputs) | set(frame.missing) == set(NAMES)
        assert set(frame.inputs) & set(frame.missing) == set()
    keys = [frame.key for frame in joined]
    assert len(keys) == len(set(keys))
    frames = {(camera, frame_id) for _, camera, frame_id in come}
    assert len(joined) + join.given_up == len(frames)
    assert join.next_expiry() is None


def test_a_frame_goes_without_the_rest_when_patience_is_over() -> None:
    join = a_join(needed=2)
    assert feed(join, "ac", 1, now=5.0) == []
    assert join.next_expiry() == 5.0 + PATIENCE
    assert join.expire(4.9 + PATIENCE) == []
    (frame,) = join.expire(5.0 + PATIENCE)
    assert (set(frame.inputs), frame.missing) == ({"a", "c"}, ("b",))


def test_a_frame_with_too_few_is_given_up() -> None:
    join = a_join(needed=2)
    feed(join, "a", 1)
    assert join.expire(PATIENCE) == []
    assert (join.given_up, join.next_expiry()) == (1, None)


def miss(join: Join, frames: range, now: float) -> float:
    """Have ``c`` be missed by these frames, one after the other."""
    for frame_id in frames:
        feed(join, "ab", frame_id, now)
        now += PATIENCE
        assert len(join.expire(now)) == 1
    return now


def test_a_suspect_is_waited_for_a_tenth() -> None:
    join = a_join()
    now = miss(join, range(2), 0.0)
    feed(join, "ab", 2, now)
    assert join.next_expiry() == now + PATIENCE / 10
    (frame,) = join.expire(now + PATIENCE / 10)
    assert frame.missing == ("c",)


def test_one_that_was_missed_once_is_no_suspect() -> None:
    join = a_join()
    now = miss(join, range(1), 0.0)
    feed(join, "ab", 1, now)
    assert join.next_expiry() == now + PATIENCE


def test_a_suspect_beside_one_that_is_none_gets_no_less() -> None:
    join = a_join()
    now = miss(join, range(2), 0.0)
    feed(join, "a", 2, now)
    assert join.next_expiry() == now + PATIENCE


def test_a_suspect_that_comes_late_is_waited_for_in_full_again() -> None:
    # Else a branch that is always a little late would be missed for ever after two hiccups.
    join = a_join()
    now = miss(join, range(2), 0.0)
    feed(join, "c", 1, now)
    feed(join, "ab", 2, now)
    assert join.next_expiry() == now + PATIENCE
    assert feed(join, "c", 2, now + PATIENCE / 2)


def test_a_straggler_of_an_answered_frame_does_not_answer_again() -> None:
    join = a_join()
    feed(join, "ab", 1)
    assert len(join.expire(PATIENCE)) == 1
    assert feed(join, "c", 1, PATIENCE) == []
    assert join.expire(2 * PATIENCE) == []
    assert (join.given_up, join.next_expiry()) == (0, None)


def test_tensors_that_came_twice_make_nobody_a_suspect() -> None:
    join = a_join()
    for frame_id in range(3):
        assert feed(join, "abc", frame_id)
        feed(join, "a", frame_id)
    assert [frame.missing for frame in join.expire(PATIENCE)] == [("b", "c")] * 3
    feed(join, "ab", 3, PATIENCE)
    assert join.next_expiry() == 2 * PATIENCE


def test_a_frame_that_was_sent_again_is_answered_again() -> None:
    # Its answer was lost: nobody else would answer it.
    join = a_join()
    feed(join, "ab", 1)
    assert len(join.expire(PATIENCE)) == 1
    feed(join, "ab", 1, PATIENCE)
    assert [frame.missing for frame in join.expire(2 * PATIENCE)] == [("c",)]
    assert [frame.missing for frame in feed(join, "abc", 1, 2 * PATIENCE)] == [()]


@given(st.integers(1, 5), st.integers(0, 20))
def test_so_many_frames_wait_and_no_more(limit: int, frames: int) -> None:
    join = a_join(limit=limit)
    for frame_id in range(frames):
        feed(join, "a", frame_id)
    late = join.expire(PATIENCE)
    assert [frame.key[1] for frame in late] == list(range(max(0, frames - limit), frames))
    assert join.given_up == max(0, frames - limit)


def test_the_memory_of_answered_frames_is_bounded() -> None:
    join = a_join()
    for frame_id in range(3000):
        feed(join, "abc", frame_id)
    assert len(join._answered) <= 1024


# --- silence, not lateness ------------------------------------------------------------------


def test_a_branch_that_is_behind_but_sends_is_waited_for() -> None:
    # Its node works through a queue: every frame is late, and none is missing.
    join = a_join()
    for frame_id in range(1, 5):
        feed(join, "ab", frame_id)
    answered = []
    for step, frame_id in enumerate(range(1, 5), start=1):
        now = step * 0.9 * PATIENCE
        assert join.expire(now) == []
        answered += feed(join, "c", frame_id, now)
    assert [(frame.key[1], frame.missing) for frame in answered] == [
        (frame_id, ()) for frame_id in range(1, 5)
    ]


def test_a_tensor_that_a_later_one_overtook_is_not_waited_for_without_end() -> None:
    join = a_join()
    feed(join, "ab", 1)
    for step in range(1, 20):
        now = step * PATIENCE / 2
        feed(join, "abc", 1 + step, now)
        late = join.expire(now)
        if late:
            break
    assert [(frame.key[1], frame.missing) for frame in late] == [(1, ("c",))]
    assert now <= 2 * PATIENCE


def test_another_camera_overtakes_nobody() -> None:
    join = a_join()
    feed(join, "ab", 5)
    join.add(tensor("c", 9, camera="hall"), 0.9 * PATIENCE)
    assert join.expire(1.5 * PATIENCE) == []
