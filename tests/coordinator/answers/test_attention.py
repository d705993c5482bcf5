"""Many answers are heard now and then, few of them all."""

from coordinator.answers.attention import BUSY, Attention

TICK_S = 0.2


def heard(
    every_s: dict[str, float], seconds: float, *, stirs: bool = False, busy: bool = True
) -> int:
    """Return how many answers are heard of cameras that answer every so many seconds."""
    attention, count, listens = Attention(3), 0, True
    due = dict(every_s)
    for tick in range(int(seconds / TICK_S)):
        now = tick * TICK_S
        for _ in range(BUSY + 1 if busy else 0):
            attention.hears("others", "gate", now)
        for camera, apart_s in every_s.items():
            while due[camera] <= now:
                due[camera] += apart_s
                if listens:
                    attention.hears("door", camera, now)
                    count += 1
        listens = attention.listens("door", every_s, now, stirs=stirs)
    return count


def test_up_to_a_hundred_a_second_every_answer_is_heard() -> None:
    calm = heard({"hall": 0.04}, 100.0, busy=False)
    assert calm == heard({"hall": 0.04}, 100.0, stirs=True)


def test_of_many_answers_a_few_in_a_row_are_heard_every_second() -> None:
    assert 25 * 100 * 0.15 < heard({"hall": 0.04}, 100.0) < 25 * 100 * 0.25


def test_a_camera_that_answers_seldom_is_heard_always_and_so_are_those_beside_it() -> None:
    assert heard({"hall": 1.0}, 100.0) >= 98
    assert heard({"hall": 0.04, "yard": 5.0}, 100.0) > 2500 * 0.95


def test_nothing_is_missed_while_a_camera_may_come_to_another_state() -> None:
    assert heard({"hall": 0.04}, 10.0, stirs=True) >= 245


def test_a_camera_that_is_silent_may_answer_any_moment() -> None:
    assert heard({"hall": 0.04, "yard": 1000.0}, 100.0) > 2500 * 0.95
