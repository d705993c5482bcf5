"""Counters: declared once, and the protocol page lists them."""

import re
from pathlib import Path

import pytest

from fog_node.counters import DECLARED, Counters, worth_logging

PAGE = Path("docs/protocol.md").read_text(encoding="utf-8")


def test_what_is_not_declared_cannot_be_counted() -> None:
    with pytest.raises(KeyError):
        Counters().count("bad_mood")


def test_only_what_happened_is_told() -> None:
    counters = Counters()
    counters.count("answers", 0)
    counters.count("runs")
    assert counters.totals() == {"runs": 1}
    assert worth_logging(["runs", "queue_full", "expired"]) == ["expired", "queue_full"]


def test_the_protocol_page_lists_every_counter_with_its_meaning() -> None:
    written = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|$", PAGE, re.MULTILINE))
    assert written == {name: declared.meaning for name, declared in DECLARED.items()}
