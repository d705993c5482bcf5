"""Control messages: JSON that comes back as it was, and one line naming the field when it does not."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker import camera_state, coordinator_beat, messages, tensor_specs
from broker.messages import Links, Report, Result
from broker.payload import MessageError, Payload
from broker.tensor_specs import InputSpec
from broker.topics import TOPICS
from tests.broker.strategies import payloads

MODULES = (messages, tensor_specs, coordinator_beat, camera_state)
KINDS = sorted(
    {
        kind
        for kind in [each for of in MODULES for each in vars(of).values()]
        if isinstance(kind, type) and issubclass(kind, Payload) and kind is not Payload
    },
    key=lambda kind: kind.__name__,
)
VALID: dict[str, Any] = {
    "session": 3,
    "deployment": "digits",
    "epoch": 2,
    "status": "ready",
}


@given(st.sampled_from(KINDS).flatmap(payloads))
def test_every_message_comes_back_as_it_was(sent: Payload) -> None:
    assert type(sent).decode(sent.encode()) == sent


@given(st.sampled_from(KINDS), st.binary(max_size=60))
def test_arbitrary_bytes_only_ever_raise_message_error(kind: type[Payload], payload: bytes) -> None:
    with pytest.raises(MessageError) as caught:
        kind.decode(payload)
    assert "\n" not in str(caught.value)


def test_every_json_payload_of_the_protocol_has_its_class() -> None:
    named = {topic.payload for topic in TOPICS if topic.payload[0].isupper()}
    assert named <= {kind.__name__ for kind in KINDS}


def test_a_message_is_readable_json() -> None:
    assert json.loads(Report(**VALID).encode()) == {**VALID, "reason": "", "seconds": {}}


def test_unknown_fields_of_a_newer_version_are_ignored() -> None:
    report = Report.decode(json.dumps({**VALID, "mood": "good"}).encode())
    assert report == Report(**VALID)


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("epoch", {"epoch": -1}),
        ("epoch", {"epoch": 2**53 + 1}),
        ("epoch", {"epoch": "two"}),
        ("epoch", {"epoch": 1.5}),
        ("status", {"status": "asleep"}),
        ("deployment", {"deployment": 3}),
        ("deployment", {"deployment": "Digits\n"}),
        ("deployment", {"deployment": "d" * 65}),
        ("seconds.b0s0", {"seconds": {"b0s0": -1}}),
        ("seconds.b0s0", {"seconds": {"b0s0": 1e308}}),
        ("seconds", {"seconds": {f"b{i}": 1 for i in range(10_001)}}),
    ],
)
def test_a_wrong_field_is_named_in_one_line(field: str, changes: dict[str, Any]) -> None:
    with pytest.raises(MessageError) as caught:
        Report.decode(json.dumps({**VALID, **changes}).encode())
    assert str(caught.value).startswith(f"Report: {field}: ")
    assert "\n" not in str(caught.value)


def test_a_missing_field_is_named() -> None:
    with pytest.raises(MessageError, match="Report: deployment: Field required"):
        Report.decode(json.dumps({k: v for k, v in VALID.items() if k != "deployment"}).encode())


@pytest.mark.parametrize("payload", [b"", b"{", b"\xff", b"[]", b"null", b"[" * 100_000])
def test_what_is_no_json_object_is_called_a_payload(payload: bytes) -> None:
    with pytest.raises(MessageError, match="Report: payload: "):
        Report.decode(payload)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_json_does_not_know_are_refused(number: str) -> None:
    # They would be written as null, and nobody could read them back.
    text = '{"uplink_bytes_per_s": 1, "downlink_bytes_per_s": %s, "latency_s": 0}' % number  # noqa: UP031
    with pytest.raises(MessageError, match="downlink_bytes_per_s"):
        Links.decode(text.encode())
    with pytest.raises(ValueError, match="confidence"):
        Result(
            deployment="d", camera="c", frame_id=0, source="", label="", confidence=float(number), epoch=0,
            missing=(), latency=(),
        )  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        {"shape": (1, 28, 28)},
        {"mean": (0.5, 0.5, 0.5)},
        {"std": ()},
        {"std": (0.0,)},
        {"crop": (0.5, 0, 0.6, 1)},
        {"crop": (0, 0, 0, 1)},
        {"fit": "squeeze"},
    ],
)
def test_an_input_that_no_picture_can_be_fitted_to_is_refused(changes: dict[str, Any]) -> None:
    good = {"name": "input", "shape": (1, 1, 28, 28), "dtype": "float32", "mean": (0,), "std": (1,)}
    assert InputSpec(**good).shape == (1, 1, 28, 28)
    with pytest.raises(MessageError, match="InputSpec: "):
        InputSpec.decode(json.dumps({**good, **changes}).encode())


def test_a_message_is_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Report(**VALID).epoch = 3  # type: ignore[misc]
