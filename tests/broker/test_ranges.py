"""A large site fits into its messages, and nothing wider than the arithmetic behind them does."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.messages import Active, Assignment, Beat, Report, Spec, Status
from broker.payload import MessageError, Payload
from broker.printable import printable
from broker.tensor_specs import InputSpec

PARTITIONS = [f"branch{i // 4}-stage{i % 4}-of-a-network" for i in range(4800)]
NODES = [f"node-{i:04}" for i in range(1000)]
SHA256 = "0" * 64
PICTURE = InputSpec(name="input", shape=(1, 3, 224, 224), dtype="float32", mean=(0,) * 3, std=(1,) * 3)  # fmt: skip


def large_bundle() -> dict[str, Any]:
    """Return a bundle of 4,800 partitions: 1.8 MB of JSON."""
    parts = [
        {
            "id": name, "branch": i // 4, "stage": i % 4, "file": f"partitions/{name}.onnx",
            "sha256": SHA256, "bytes": 20_000, "memory_bytes": 10**6, "macs": 10**7,
            "inputs": [f"{name}-in"], "outputs": [f"{name}-out"],
        }
        for i, name in enumerate(PARTITIONS)
    ]  # fmt: skip
    return {"partitions": parts, "genome": "1-01|0-11 / " * 1200}


def largest() -> list[Payload]:
    part = {
        "sha256": SHA256, "bytes": 20_000, "memory_bytes": 10**6, "priority": 0.123456789,
        "inputs": ("a-tensor-of-this",), "outputs": ("another-tensor-of-this",),
    }  # fmt: skip
    seconds = dict.fromkeys(PARTITIONS, 0.012345678901)
    return [
        Spec(deployment="d", revision=1, bundle=large_bundle()),
        Assignment(
            deployment="d", epoch=1, phase="serve", input=PICTURE,
            partitions=tuple({"id": name, **part} for name in PARTITIONS),
        ),
        Status(
            deployment="d", revision=1, phase="serving",
            placement={name: NODES[i % 1000] for i, name in enumerate(PARTITIONS)},
            slow=dict.fromkeys(NODES, "takes 3.1 times as long as expected; its link is slow"),
            reason="; ".join(f"{node}: not ready in time" for node in NODES),
        ),
        Report(session=1, deployment="d", epoch=1, status="ready", seconds=seconds),
        Beat(
            session=1, sequence=1, epoch=1, load=0.5, queues={}, counters={}, seconds={"d": seconds},
            missing={"d": dict.fromkeys(PARTITIONS, 10**9)},
        ),
    ]  # fmt: skip


@pytest.mark.parametrize("message", largest(), ids=lambda message: type(message).__name__)
def test_a_site_of_a_thousand_nodes_and_thousands_of_partitions_fits(message: Payload) -> None:
    assert type(message).decode(message.encode()) == message


def spec(**bundle: Any) -> bytes:
    return json.dumps({"deployment": "d", "revision": 1, "bundle": bundle}).encode()


@pytest.mark.parametrize(
    "payload",
    [
        spec(macs=10**400),
        spec(macs=2**53 + 1),
        spec(x=1e308),
        spec(x=["a" * 70_000]),
        spec(x=[0] * 10_001),
        b'{"deployment": "d", "revision": 1, "bundle": ' + b'{"x":' * 50 + b"1" + b"}" * 51,
    ],
)
def test_what_is_out_of_range_inside_a_bundle_is_refused_on_the_wire(payload: bytes) -> None:
    with pytest.raises(MessageError, match="out of range"):
        Spec.decode(payload)


def test_a_spec_that_would_not_fit_when_it_is_encoded_again_is_refused() -> None:
    # 1e15 becomes 1000000000000000.0: four bytes are eighteen then.
    grows = spec(x=[[0] * 9000] * 60).replace(b" 0", b"1e15").replace(b"[0", b"[1e15")
    assert len(grows) < Spec.MOST_BYTES
    with pytest.raises(MessageError, match="bytes, at most"):
        Spec.decode(grows)


def test_size_is_looked_at_before_anything_else() -> None:
    with pytest.raises(MessageError, match=r"Beat: 2000000 bytes, at most 524288"):
        Beat.decode(b"[" * 2_000_000)


@pytest.mark.parametrize(
    "shape", [[1, 3, 2**40, 2**40], [1, 1, 3 * 2**20 + 1, 1], [1, 1, 0, 1], [1, 1, -1, 1]]
)
def test_an_active_of_a_shape_that_no_message_carries_is_refused(shape: list[int]) -> None:
    good = Active(
        deployment="d", epoch=1, bundle={"name": "n", "version": "1"}, classes=("a",), input=PICTURE
    )  # fmt: skip
    said = json.loads(good.encode())
    said["input"]["shape"] = shape
    with pytest.raises(MessageError, match=r"input\.shape"):
        Active.decode(json.dumps(said).encode())


def test_a_reason_is_spelled_out_and_cut_where_a_name_is_refused() -> None:
    said = Report(session=1, deployment="d", epoch=1, status="failed", reason="\x1b[2J\n" * 2000)
    assert said.reason.startswith(r"\x1b[2J\n")
    assert said.reason.isprintable()
    with pytest.raises(ValueError, match="seconds"):
        Report(session=1, deployment="d", epoch=1, status="ready", seconds={"\x1b[2J": 1.0})


@given(st.text())
def test_whatever_is_printed_is_one_line_that_no_terminal_acts_on(text: str) -> None:
    assert printable(text).isprintable()
    assert printable(printable(text, 10_000), 10_000) == printable(text, 10_000)
