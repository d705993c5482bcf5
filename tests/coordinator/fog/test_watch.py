"""Who does less than it should, told by the beats alone."""

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coordinator.fog.penalty import FIRST_S, MOST_S
from coordinator.fog.watch import Watch
from evolution.placement.shared import Cameras
from tests.coordinator.fog.pulses import SECONDS, Fog
from tests.coordinator.fog.toys import NAME


def settled(*nodes: str, frames_per_s: float = 20.0, standby: str = "") -> Fog:
    """Return a fog that has served well for a while."""
    fog = Fog(*nodes, frames_per_s=frames_per_s, standby=standby)
    fog.seconds(12)
    assert fog.reasons == {}
    return fog


# --- nobody is to blame -----------------------------------------------------------------------


@given(
    echoes=st.lists(st.floats(0, 0.14), min_size=3, max_size=3),
    slower=st.lists(st.floats(0.3, 1.45), min_size=3, max_size=3),
    lacking=st.floats(0, 0.04),
)
@settings(max_examples=30)
def test_a_steady_fleet_gets_no_verdicts(
    echoes: list[float], slower: list[float], lacking: float
) -> None:
    fog = Fog("a", "b", "c")
    for teller, echo_s, factor in zip(fog.tellers.values(), echoes, slower, strict=True):
        teller.echo_s, teller.slower = echo_s, factor
    fog.seconds(40, lacking, "branch1-logits")
    assert fog.reasons == {}


def test_a_hiccup_of_one_beat_is_held_against_nobody() -> None:
    fog = settled("a", "b", "c")
    fog.tellers["b"].slower = 20.0
    fog.seconds(1, 0.5, "branch1-logits")
    fog.tellers["b"].slower = 1.0
    fog.seconds(20)
    assert fog.reasons == {}


def test_what_is_missing_while_epochs_change_is_held_against_nobody() -> None:
    fog = settled("a", "b", "c")
    fog.serve()
    fog.seconds(2, 0.5, "branch1-logits")
    fog.seconds(20)
    assert fog.reasons == {}


def test_a_pause_of_the_broker_is_held_against_nobody() -> None:
    fog = settled("a", "b", "c")
    fog.now += 4.0
    for echo_s in (1.0, 2.0, 3.0):  # the beats that waited come at once, one node's after another's
        fog.tellers["a"].echo_s = echo_s
        fog.beat(["a"])
        fog.watch.judge(fog.now)
    assert fog.unused == {}
    fog.tellers["b"].echo_s = fog.tellers["c"].echo_s = 3.0
    fog.beat()
    fog.watch.judge(fog.now)
    for teller in fog.tellers.values():
        teller.echo_s = 0.01
    fog.seconds(10)
    assert fog.reasons == {}


def test_most_nodes_deaf_at_once_means_the_broker_is_late() -> None:
    fog = settled("a", "b", "c", "d")
    for node in "abc":
        fog.tellers[node].echo_s = 2.0
        fog.now += 0.3
        fog.beat()
        fog.watch.judge(fog.now)
    assert fog.unused == {}
    for teller in fog.tellers.values():
        teller.echo_s = 0.01
    for _ in range(30):  # nor does it come up again when verdicts would end one by one
        fog.seconds(1)
        assert fog.unused == {}


def test_an_overloaded_node_is_not_blamed_for_being_late() -> None:
    fog = settled("a", "b", "c", frames_per_s=60.0)  # 60 frames/s of 20 ms are more than a second
    fog.seconds(20, 0.5, "branch1-logits")
    assert fog.reasons == {}


# --- one node is ------------------------------------------------------------------------------


def test_a_node_that_the_broker_does_not_reach_is_found_by_its_first_beat_that_says_so() -> None:
    fog = settled("a", "b", "c")
    fog.tellers["c"].echo_s = 1.6
    fog.seconds(1)
    assert fog.unused == {"c": "hears the broker 1.6 s late"}


def test_a_deaf_node_is_not_used_before_it_hears_again() -> None:
    fog = settled("a", "b", "c")
    fog.tellers["c"].echo_s = 5.0
    fog.seconds(int(FIRST_S) + 5)
    assert "c" in fog.unused
    fog.tellers["c"].echo_s = 0.01
    fog.seconds(3)
    assert fog.unused == {}


@pytest.mark.parametrize(("slower", "beats"), [(10.0, 3), (2.0, 4)])
def test_a_slow_node_is_found_within_a_few_beats(slower: float, beats: int) -> None:
    fog = settled("a", "b", "c")
    fog.tellers["b"].slower = slower
    assert fog.until_found("b", limit=beats) == beats
    assert fog.factors == pytest.approx({"b": slower})
    assert fog.unused == {}  # it is used less, not never
    assert fog.reasons == {"b": f"takes {slower:.1f} times as long as expected"}


def test_a_node_that_is_as_quick_as_expected_again_is_slow_no_more() -> None:
    fog = settled("a", "b", "c")
    fog.tellers["b"].slower = 5.0
    fog.seconds(10)
    fog.tellers["b"].slower = 1.0
    fog.seconds(4)
    assert fog.factors == {}


@pytest.mark.parametrize("frames_per_s", [2.0, 20.0])
def test_who_makes_a_missing_branch_is_found_within_some_beats(frames_per_s: float) -> None:
    fog = settled("a", "b", "c", frames_per_s=frames_per_s)
    fog.until_found("c", 4, 0.5, "branch2-logits")
    assert list(fog.unused) == ["c"]
    assert "branch2-logits" in fog.unused["c"]


def test_of_those_that_a_tensor_passes_the_one_with_the_bad_link_is_blamed() -> None:
    fog = settled("a", "b", "c")
    fog.chains["branch2-logits"] = ("c", "b")
    fog.tellers["b"].echo_s = 0.8
    fog.seconds(4, 0.5, "branch2-logits")
    assert list(fog.unused) == ["b"]


def test_where_the_results_of_all_others_are_late_it_is_the_fusion_that_does_not_get_them() -> None:
    fog = settled("a", "b", "c")
    fog.seconds(3, 0.9, "branch1-logits", "branch2-logits")
    assert fog.unused == {}  # that may be the network's fault, for a while
    fog.seconds(3, 0.9, "branch1-logits", "branch2-logits")
    assert list(fog.unused) == ["a"]


def test_a_few_missing_branches_are_held_against_somebody_only_if_that_lasts() -> None:
    fog = settled("a", "b", "c", "d")
    fog.seconds(3, 0.2, "branch2-logits")
    assert fog.unused == {}
    fog.seconds(3, 0.2, "branch2-logits")
    assert list(fog.unused) == ["c"]


def test_a_link_that_makes_all_answers_late_is_found_though_nothing_is_missing() -> None:
    fog = settled("a", "b", "c")
    fog.tellers["c"].echo_s = 0.4
    assert fog.until_found("c", 4) <= 4
    assert fog.unused == {"c": "its link is slow: hears the broker 0.4 s late"}


def test_links_that_are_all_as_slow_are_nobodys_fault() -> None:
    fog = settled("a", "b", "c")
    for teller in fog.tellers.values():
        teller.echo_s = 0.4
    fog.seconds(20)
    assert fog.reasons == {}


def test_a_fusion_whose_standby_answers_is_late() -> None:
    fog = settled("a", "b", "c", standby="b")
    for _ in range(3):
        fog.now += 1.0
        fog.answer("b")
        fog.beat()
        fog.watch.judge(fog.now)
    assert list(fog.unused) == ["a"]


def test_a_node_in_a_new_life_begins_anew() -> None:
    fog = settled("a", "b", "c")
    fog.tellers["c"].echo_s = 5.0
    fog.seconds(1)
    fog.tellers["c"].session, fog.tellers["c"].echo_s = 2, 0.01
    assert fog.unused == {}
    fog.seconds(1)
    assert fog.reasons == {}


def test_each_time_it_takes_longer_until_a_node_is_used_again() -> None:
    fog = settled("a", "b", "c")
    lengths = []
    for _ in range(7):
        fog.tellers["c"].echo_s = 2.0
        fog.seconds(1)
        found_at = fog.now
        fog.tellers["c"].echo_s = 0.01
        while fog.unused:
            fog.seconds(1)
        lengths.append(fog.now - found_at)
    assert lengths == [min(MOST_S, FIRST_S * 2**times) for times in range(7)]


# --- whatever happens -------------------------------------------------------------------------

TROUBLE = st.fixed_dictionaries(
    {
        "node": st.sampled_from("abcd"),
        "echo_s": st.floats(0, 5),
        "slower": st.floats(0.5, 20),
        "silent": st.booleans(),
    }
)


@given(st.lists(st.tuples(TROUBLE, st.floats(0, 1), st.integers(1, 6)), max_size=12))
@settings(max_examples=60)
def test_somebody_is_always_left_to_be_used(
    story: list[tuple[dict[str, object], float, int]],
) -> None:
    fog = Fog("a", "b", "c", "d", standby="b")
    for trouble, lacking, length in story:
        teller = fog.tellers[str(trouble["node"])]
        teller.echo_s, teller.slower = float(str(trouble["echo_s"])), float(str(trouble["slower"]))
        teller.silent = bool(trouble["silent"])
        for _ in range(length):
            fog.seconds(1, lacking, "branch1-logits", "branch3-logits")
            assert len(fog.unused) < len(fog.alive)
            for some in (["a"], ["b", "d"], ["c"]):
                alive = {node: fog.alive[node] for node in some}
                assert len(fog.watch.unused(alive, fog.now)) < len(alive)


@pytest.mark.parametrize("order", list(permutations("abc"))[1:])
def test_in_which_order_the_nodes_beat_does_not_matter(order: tuple[str, ...]) -> None:
    found = []
    for beats in (["a", "b", "c"], list(order)):
        fog = Fog("a", "b", "c", standby="c")
        story = []
        for second in range(30):
            fog.now += 1.0
            fog.tellers["b"].slower = 8.0 if second > 8 else 1.0
            fog.tellers["c"].echo_s = 2.0 if 12 < second < 15 else 0.01
            fog.answer("a", 0.4 if second > 20 else 0.0, "branch1-logits")
            fog.answer("c", 0.4 if second > 20 else 0.0, "branch1-logits")
            fog.beat(beats)
            fog.watch.judge(fog.now)
            story.append((fog.unused, fog.factors))
        found.append(story)
    assert found[0] == found[1]
    assert found[0][-1][0].keys() == {"b", "c"}


# --- what is measured -------------------------------------------------------------------------


def test_what_a_deployment_reaches_is_measured_by_its_answers() -> None:
    fog = settled("a", "b", "c", standby="b")
    for _ in range(6):  # the first gives half of the answers, its standby the others
        fog.now += 1.0
        fog.tellers["a"].answers += 10
        fog.tellers["b"].answers += 10
        fog.tellers["a"].incomplete += 1
        fog.beat()
        fog.watch.judge(fog.now)
    measured = fog.watch.traffic.measured(NAME)
    assert measured is not None
    assert measured.frames_per_s == pytest.approx(20.0)
    assert measured.response_s == 0.04
    assert measured.incomplete == pytest.approx(0.05)


def test_nothing_is_measured_where_nothing_is_answered() -> None:
    fog = Fog("a", "b", frames_per_s=0.0)
    fog.seconds(10)
    assert fog.watch.traffic.measured(NAME) is None
    assert fog.watch.traffic.rate(NAME).to_place_for is None


def test_the_rate_is_known_after_some_seconds_of_frames() -> None:
    fog = settled("a", "b")
    assert fog.watch.traffic.rate(NAME).served == pytest.approx(20.0, rel=0.1)
    fog.watch.serve(NAME, None)
    assert fog.watch.traffic.rate(NAME).served is None


def test_messages_from_before_a_pause_of_ours_are_not_judged() -> None:
    fog = settled("a", "b", "c")
    fog.watch.forgive(fog.now)
    fog.tellers["c"].echo_s = 2.0
    fog.now += 0.5
    fog.beat()
    fog.watch.judge(fog.now)
    assert fog.unused == {}


def test_a_watch_that_heard_nothing_says_nothing() -> None:
    watch = Watch()
    watch.judge(1.0)
    assert watch.unused(Fog("a").alive, 1.0) == {}


# --- what runs take -----------------------------------------------------------------------------


def usual(fog: Fog) -> dict[str, float]:
    return {run.partition: run.seconds for run in fog.watch.usual_runs(fog.now)}


def test_what_runs_take_is_known_after_a_while() -> None:
    fog = Fog("a", "b", "c")
    fog.tellers["b"].slower = 1.3
    fog.seconds(5)
    assert usual(fog) == {}
    fog.seconds(10)
    assert usual(fog) == {
        "branch0-stage0": SECONDS,
        "branch1-stage0": pytest.approx(1.3 * SECONDS),
        "branch2-stage0": SECONDS,
        "fusion": 1e-4,
    }


@pytest.mark.parametrize("slower", [1.6, 10.0])
def test_what_a_slow_node_takes_is_not_what_its_hardware_takes(slower: float) -> None:
    fog = settled("a", "b", "c")
    fog.tellers["b"].slower = slower
    for _ in range(30):
        fog.seconds(1)
        assert usual(fog).get("branch1-stage0", SECONDS) == SECONDS


def test_the_cameras_of_a_node_that_fell_silent_are_not_known_and_there_is_one_at_least() -> None:
    fog = settled("a", "b", "c")
    assert fog.watch.traffic.cameras(NAME, fog.now) == Cameras(20.0, 1)
    assert fog.watch.traffic.cameras(NAME, fog.now + 60.0) == Cameras(20.0, 1)
    assert fog.watch.traffic.cameras("strange", fog.now) is None
