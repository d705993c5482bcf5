"""docs/security.md says who may do what, as the code does."""

import re
from pathlib import Path

import pytest

from broker.access.rights import LEFT_BEHIND, MATRIX, OWN_LEVEL, PARTIES, Access, Party
from broker.topics import Topic

PAGE = Path("docs/security.md").read_text(encoding="utf-8")
ROWS = {
    cells[0].strip("`"): cells[1:]
    for cells in (
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in re.findall(r"^\|.*\|$", PAGE, re.MULTILINE)
    )
}


def cell(topic: Topic, access: Access, party: Party) -> str:
    """Return what the page is to say: `own` where a level of the topic is the party's own id."""
    said = []
    if party in access.writes:
        named = f"{{{OWN_LEVEL.get(party)}}}" in topic.pattern
        said.append("write own" if named else "write")
    if party in access.reads:
        said.append("read")
    elif party in access.reads_own:
        said.append("read own")
    return ", ".join(said) or "-"


@pytest.mark.parametrize("topic", MATRIX, ids=lambda topic: topic.pattern)
def test_every_role_and_topic_stands_in_the_matrix(topic: Topic) -> None:
    assert ROWS[topic.pattern] == [cell(topic, MATRIX[topic], party) for party in PARTIES]


def test_nothing_stands_in_the_matrix_that_is_no_topic() -> None:
    assert {name for name in ROWS if "/" in name} == {topic.pattern for topic in MATRIX}
    assert ROWS["topic"] == list(PARTIES)


def test_what_the_administrator_clears_is_named() -> None:
    for topic in LEFT_BEHIND:
        assert topic.pattern.rsplit("/", 1)[1] in re.findall(r"`(\w+)`", PAGE)
