"""The life of an epoch on a fog node: the table in the code is the table on the protocol page."""

import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from fog_node.serving import TRANSITIONS, Serving
from tests.fog_node.scene import LEFT, NODE, SITE, assignment

PAGE = Path("docs/protocol.md").read_text(encoding="utf-8")
STATES = {state for before, _ in TRANSITIONS for state in (before,)} | set(TRANSITIONS.values())
EVENTS = sorted({event for _, event in TRANSITIONS})


def test_the_protocol_page_has_the_same_table() -> None:
    section = PAGE.split("On a fog node an epoch goes through these states:")[1].split("\n\n")[1]
    rows = re.findall(r"^\| (\w+) \| (\w+) \| (\w+) \|", section, re.MULTILINE)
    written = {(before, event): after for before, event, after in rows if before != "from"}
    assert written == TRANSITIONS


@given(st.lists(st.sampled_from(EVENTS), max_size=8))
def test_whatever_happens_it_moves_by_the_table_and_gone_is_gone(events: list[str]) -> None:
    serving = Serving(assignment(1, LEFT), NODE, SITE)
    for event in events:
        before = serving.state
        moved = serving.move(event)  # type: ignore[arg-type]
        assert moved == (serving.state != before)
        assert serving.state in STATES
        assert before != "gone" or serving.state == "gone"
