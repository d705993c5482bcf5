"""docs/protocol.md says what the code does."""

import re
from pathlib import Path

import pytest

from broker import calibration, camera_state, coordinator_beat, messages, tensor_specs
from broker.payload import Payload
from broker.topics import TOPICS

PAGE = Path("docs/protocol.md").read_text(encoding="utf-8")
MODULES = (messages, tensor_specs, coordinator_beat, calibration, camera_state)
CLASSES = {
    name: kind
    for name, kind in {name: each for of in MODULES for name, each in vars(of).items()}.items()
    if isinstance(kind, type) and issubclass(kind, Payload) and kind is not Payload
}


def test_every_topic_stands_in_the_table_with_its_payload_and_whether_it_is_retained() -> None:
    rows = re.findall(r"^\| `([^`]+)` \| (yes|no) \| ([^|]+) \|", PAGE, re.MULTILINE)
    written = {(pattern, retained == "yes", payload.strip()) for pattern, retained, payload in rows}
    assert written == {(topic.pattern, topic.retained, topic.payload) for topic in TOPICS}


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_every_field_of_every_message_is_listed_in_order(name: str) -> None:
    line = re.search(rf"^- \*\*{name}\*\*: (.*)$", PAGE, re.MULTILINE)
    assert line is not None
    assert re.findall(r"`(\w+)`", line.group(1)) == list(CLASSES[name].model_fields)


def test_no_message_is_listed_that_is_none() -> None:
    assert set(re.findall(r"^- \*\*(\w+)\*\*:", PAGE, re.MULTILINE)) == set(CLASSES)
