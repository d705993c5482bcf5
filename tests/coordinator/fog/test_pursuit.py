"""How a deployment pursues what is wanted: the table in the code is the table on the protocol page."""

import re
from pathlib import Path

from coordinator.fog.pursuit import TRANSITIONS

PAGE = Path("docs/protocol.md").read_text(encoding="utf-8")


def test_the_protocol_page_has_the_same_table() -> None:
    section = PAGE.split("At the coordinator a deployment pursues")[1].split("\n\n")[1]
    rows = re.findall(r"^\| (\w+) \| (\w+) \| (\w+) \|", section, re.MULTILINE)
    written = {(before, event): after for before, event, after in rows if before != "from"}
    assert written == TRANSITIONS


def test_every_state_can_be_reached_and_left() -> None:
    assert {before for before, _ in TRANSITIONS} == set(TRANSITIONS.values())
