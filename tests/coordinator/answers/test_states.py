"""What a camera's answers come to: one story a test."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.camera_state import State
from broker.payload import MessageError
from broker.topics import STATE
from coordinator.answers.cameras import MOST, MOST_OF_A_DEPLOYMENT
from coordinator.answers.states import GONE_S
from tests.coordinator.answers.answering_site import (
    CAMERA,
    KEY,
    NAME,
    SITE,
    WALL_S,
    AnsweringSite,
    active,
)


def test_three_equal_answers_in_a_row_are_a_state_and_nothing_is_said_until_another_is() -> None:
    site = AnsweringSite()
    site.answers("open", "open")
    assert site.said == []
    site.answer("open", confidence=0.75)
    since = WALL_S + 1.0  # of the first of the three
    assert site.state() == State(
        deployment=NAME, camera=CAMERA, label="open", confidence=0.75, since=since
    )
    said = len(site.said)
    site.answers("open", "shut", "shut", "open", "shut", "shut")
    assert len(site.said) == said
    site.answer("shut")
    assert site.label == "shut"


def test_an_unknown_answer_ends_a_row_and_one_without_a_branch_does_not() -> None:
    site = AnsweringSite()
    site.answers("open", "open")
    site.answer("open", unknown=True)
    site.answers("open", "open")
    assert site.label is None
    site.answer("open")
    assert site.label == "open"
    for _ in range(5):
        site.answer("shut", unknown=True)
    assert site.label == "open"


def test_a_frame_counts_once_whichever_node_answers_it() -> None:
    site = AnsweringSite()
    for _ in range(4):
        site.answer("open", frame_id=7)
    assert site.label is None


def test_answers_count_of_nodes_named_for_their_epoch_and_of_labels_that_the_bundle_has() -> None:
    site = AnsweringSite()
    for changes in ({"node": "thief"}, {"epoch": 2}, {"label": "cat"}, {"deployment": "other"}):
        for _ in range(4):
            site.answer(**{"label": "open"} | changes)
    assert site.label is None
    assert site.states.answering(site.now) == {(NAME, "pi")}
    site.serve(active(epoch=2))
    site.answer("open", epoch=2)
    site.answers("open", "open")  # of the epoch before, on their way
    assert site.label == "open"


def test_what_flickers_is_said_once_a_second_at_most() -> None:
    site = AnsweringSite(equal=1)
    for number in range(20):
        site.now -= 0.95  # 20 answers a second
        site.answer("open" if number % 2 else "shut")
    assert len(site.said) == 1
    assert site.pass_time(0.5)[0].topic == STATE.at(SITE, deployment=NAME, camera=CAMERA)
    assert site.label == "open"  # the last one, though nothing came after it
    assert site.pass_time(2.0) == []


def test_since_lasts_over_a_restart() -> None:
    before = AnsweringSite()
    before.answers("open", "open", "open")
    after = AnsweringSite(retained=before.retained, now=100.0)
    assert after.retained == before.retained
    after.answers("open", "open", "open", "open")
    assert after.state() == before.state()
    after.answers("shut", "shut", "shut")
    assert after.label == "shut"


def test_a_silent_camera_keeps_its_state_says_since_when_and_is_gone_after_a_week() -> None:
    site = AnsweringSite()
    site.answers("open", "open", "open")
    assert site.pass_time(599.0) == []
    site.pass_time(1.0)
    state = site.state()
    assert state is not None
    assert (state.label, state.silent_since) == ("open", WALL_S + 3.0)
    restarted = AnsweringSite(retained=site.retained, now=site.now)
    restarted.pass_time(600.0)
    assert restarted.state() == state
    site.answer("open")
    assert site.state() == state.model_copy(update={"silent_since": None})
    restarted.pass_time(GONE_S)
    assert restarted.retained == {}


def test_a_state_ends_with_its_deployment_and_with_the_class_that_it_is_of() -> None:
    site = AnsweringSite()
    site.answers("ajar", "ajar", "ajar")
    site.serve(active(epoch=2))
    assert site.label == "ajar"
    site.serve(active(epoch=3, classes=("open", "shut")))
    assert site.retained == {}
    site.answers("open", "open", "open")
    assert site.label == "open"
    site.serve(known=())
    assert site.retained == {}
    assert site.states.answering(site.now) == frozenset()


def test_what_an_earlier_coordinator_left_of_a_deployment_that_is_gone_is_cleared() -> None:
    before = AnsweringSite()
    before.answers("open", "open", "open")
    after = AnsweringSite(retained=before.retained, serves=False)
    assert after.label == "open"
    after.serve(known=())
    assert after.retained == {}


def test_who_acts_says_its_own_again_and_clears_what_it_did_not_write() -> None:
    site = AnsweringSite()
    site.answers("open", "open", "open")
    mine = site.state()
    assert mine is not None
    forged = mine.model_copy(update={"label": "shut"})
    assert site.states.retained(KEY, forged.encode(), site.now) == []
    (again,) = site.pass_time(2.0)
    assert State.decode(again.payload) == mine
    for payload in (b"{", forged.model_copy(update={"camera": "x"}).encode()):
        (cleared,) = site.states.retained((NAME, "x"), payload, site.now)
        assert (cleared.topic, cleared.payload) == (
            STATE.at(SITE, deployment=NAME, camera="x"),
            b"",
        )
    assert site.states.retained((NAME, "x"), b"", site.now) == []


def test_before_it_acts_a_state_that_is_none_is_refused_by_its_field() -> None:
    site = AnsweringSite()
    site.answers("open", "open", "open")
    listening = AnsweringSite()
    listening.states._acts = False
    mine = site.retained[STATE.at(SITE, deployment=NAME, camera=CAMERA)]
    with pytest.raises(MessageError, match="camera: 'hall' is not that of the topic"):
        listening.states.retained((NAME, "x"), mine, 0.0)
    (cleared,) = listening.states.begin()
    assert (cleared.topic, cleared.payload) == (STATE.at(SITE, deployment=NAME, camera="x"), b"")


def test_invented_cameras_cost_no_more_than_there_is_room_for() -> None:
    site = AnsweringSite()
    site.answers("open", "open", "open")
    for number in range(3 * MOST_OF_A_DEPLOYMENT):
        site.now -= 1.0
        site.answer("open", camera=f"invented-{number}")
    assert len(site.states._cameras) == MOST_OF_A_DEPLOYMENT
    assert site.failures.totals["too_many"] == 2 * MOST_OF_A_DEPLOYMENT + 1
    assert site.label == "open"
    site.now += 10.0
    for _ in range(3):
        site.answer("open", camera="new")  # takes the place of one that never came to a state
    assert site.state("new") is not None
    site.now += 590.0
    site.answer("open")
    site.pass_time(100.0)
    assert {key[1] for key, _ in site.states._cameras} == {CAMERA, "new"}
    assert MOST_OF_A_DEPLOYMENT < MOST


def test_a_camera_that_gives_way_leaves_nothing_retained() -> None:
    site = AnsweringSite(equal=1)
    for number in range(MOST_OF_A_DEPLOYMENT):
        site.now -= 1.0
        site.answer("open", camera=f"c{number}")
    site.now += 60.0
    site.answer("open", camera="new")
    assert site.state("new") is not None
    assert len(site.retained) == MOST_OF_A_DEPLOYMENT


@given(
    st.lists(st.sampled_from(["open", "shut", "ajar", "?open"]), max_size=60),
    st.integers(1, 5),
)
def test_the_state_is_the_last_label_with_a_row_long_enough(said: list[str], equal: int) -> None:
    site = AnsweringSite(equal=equal)
    expected, row, length = None, None, 0
    for label in said:
        known = not label.startswith("?")
        site.answer(label.lstrip("?"), unknown=not known)
        length = length + 1 if known and label == row else int(known)
        row = label if known else None
        if length >= equal:
            expected = label
        assert site.label == expected
