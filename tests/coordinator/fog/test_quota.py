"""So many are known at a time: who proved to be there stays."""

from hypothesis import given
from hypothesis import strategies as st

from coordinator.fog.quota import FORGOTTEN_S, PROVE_S, SILENT_S, Quota


def test_strangers_make_room_for_each_other_and_never_for_who_is_proven() -> None:
    quota = Quota(2)
    assert quota.admit("pi", 0.0) == (True, "")
    quota.prove("pi", 0.0)
    assert quota.admit("a", 0.0) == (True, "")
    assert quota.admit("b", PROVE_S - 1) == (False, "")  # "a" still may prove itself
    assert quota.admit("b", PROVE_S) == (True, "a")
    assert quota.proven("pi")
    assert not quota.proven("b")


def test_where_all_are_proven_only_who_fell_silent_gives_way() -> None:
    quota = Quota(1)
    quota.admit("pi", 0.0)
    quota.prove("pi", 0.0)
    quota.admit("pi", 30.0)
    assert quota.admit("attic", 30.0 + SILENT_S - 1) == (False, "")
    assert quota.admit("attic", 30.0 + SILENT_S) == (True, "pi")


def test_who_was_not_heard_for_an_hour_is_forgotten() -> None:
    quota = Quota(9)
    for name in ("a", "b", "c"):
        quota.admit(name, 0.0)
    quota.prove("b", 100.0)
    assert quota.forgotten(FORGOTTEN_S) == ["a", "c"]
    assert quota.forgotten(FORGOTTEN_S + 100.0) == ["b"]
    assert len(quota) == 0


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.booleans(), st.floats(0, 40)), max_size=80))
def test_there_are_never_more(steps: list[tuple[str, bool, float]]) -> None:
    quota, now = Quota(3), 0.0
    for name, proves, after_s in steps:
        now += after_s
        admitted, gone = quota.admit(name, now)
        assert admitted == (name in quota)
        assert gone not in quota
        if admitted and proves:
            quota.prove(name, now)
        assert len(quota) <= 3
