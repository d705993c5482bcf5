"""Who coordinates a site, if several could."""

import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from coordinator.fog.tenure import CONFIRMED, LISTEN_S, SILENT_S, TRANSITIONS, Tenure

PAGE = Path("docs/protocol.md").read_text(encoding="utf-8")


def connected(session: int = 2) -> Tenure:
    tenure = Tenure(session)
    tenure.connected(0.0)
    return tenure


def test_the_protocol_page_has_the_same_table() -> None:
    section = PAGE.split("A coordinator goes through these states:")[1].split("\n\n")[1]
    rows = re.findall(r"^\| ([\w ]+) \| ([\w ]+) \| ([\w ]+) \|", section, re.MULTILINE)
    written = {(before, event): after for before, event, after in rows if before != "from"}
    assert written == TRANSITIONS


def test_who_hears_nobody_acts_once_what_is_retained_has_come() -> None:
    tenure = connected()
    assert not tenure.advance(LISTEN_S - 0.1)
    assert tenure.advance(LISTEN_S)
    assert tenure.acts
    assert not tenure.advance(LISTEN_S + 1)  # it begins once


def test_where_somebody_is_said_to_be_online_it_listens_longer() -> None:
    tenure = connected()
    tenure.site_says(online=True)
    assert not tenure.advance(SILENT_S - 0.1)
    assert tenure.advance(SILENT_S)


def test_the_one_that_acts_stays_and_a_later_one_stands_by_until_it_is_silent() -> None:
    tenure = connected(session=9)
    tenure.site_says(online=True)
    for second in range(20):
        tenure.beat(1, float(second), 1)
        assert not tenure.advance(second + 0.9)
    assert tenure.state == "standing by"
    assert tenure.other == 1
    assert tenure.advance(19.0 + SILENT_S)


def test_a_will_of_somebody_else_ends_nobody_whose_beats_go_on() -> None:
    tenure = connected(session=9)
    tenure.beat(1, 1.0, 1)
    tenure.site_says(online=False)
    tenure.beat(1, 2.0, 1)
    assert not tenure.advance(3.0)
    assert tenure.advance(2.0 + LISTEN_S)


def test_who_takes_over_is_later_than_whom_it_replaces_whatever_the_clocks_say() -> None:
    tenure = connected(session=2)
    tenure.beat(1000, 0.5, 1)
    assert tenure.advance(60.0)
    replaced = connected(session=1000)
    replaced.advance(LISTEN_S)
    for second in range(CONFIRMED):
        assert replaced.acts
        replaced.beat(tenure.session, 61.0 + second, second)
    assert replaced.state == "ended"


def test_copies_of_a_later_beat_end_nobody_and_a_pulse_of_them_has_it_listen_first() -> None:
    tenure = connected(session=2)
    assert tenure.advance(LISTEN_S)
    for tenth in range(100):
        tenure.beat(1000, 10.0 + tenth / 10, 7)
        assert tenure.settled(10.0 + tenth / 10)
    for number in (1, 9, 2, 8, 3, 7, 4):  # beats of some other part, in no order
        tenure.beat(1000, 20.0 + number, number)
    assert tenure.settled(27.0)
    tenure.beat(2000, 30.0, 1)
    assert tenure.settled(30.0)
    tenure.beat(1000, 30.5, 7)  # whoever else says something hides no pulse
    tenure.beat(2000, 31.0, 2)
    assert not tenure.settled(31.0)
    assert tenure.acts
    tenure.beat(2000, 32.0, 3)
    assert tenure.state == "ended"


def test_after_a_reconnect_nobody_can_have_been_heard() -> None:
    tenure = connected(session=9)
    tenure.beat(1, 1.0, 1)
    tenure.connected(100.0)
    assert not tenure.advance(100.0)
    tenure.beat(1, 100.5, 1)
    assert not tenure.advance(100.0 + LISTEN_S - 0.1)


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from(["beats", "is cut off", "is back"])),
        max_size=40,
    )
)
def test_whatever_happens_exactly_one_acts_once_all_hear_each_other(
    story: list[tuple[int, str]],
) -> None:
    fog = [Tenure(session) for session in (5, 7, 6)]
    cut: set[int] = set()
    now = 0.0
    for tenure in fog:
        tenure.connected(now)
    for who, event in [*story, *[(who, "is back") for who in range(3)], *[(0, "beats")] * 30]:
        now += 0.5
        if event == "is cut off":
            cut.add(who)
        elif event == "is back" and who in cut:
            cut.discard(who)
            fog[who].connected(now)
        for speaker, tenure in enumerate(fog):
            tenure.advance(now)
            if tenure.acts and speaker not in cut:
                for ear, other in enumerate(fog):
                    if ear not in cut:
                        other.beat(tenure.session, now, int(now))
        # Whoever ended is started again, with a later session.
        fog = [
            _started(max(each.session for each in fog) + 1, now) if each.state == "ended" else each
            for each in fog
        ]
    assert sum(tenure.acts for tenure in fog) == 1


def _started(session: int, now: float) -> Tenure:
    tenure = Tenure(session)
    tenure.connected(now)
    return tenure
