"""The codec: what goes in comes out without a copy, and whatever else comes in is refused cheaply."""

import struct
import tracemalloc
from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.bus.seam import MAX_PAYLOAD_BYTES
from broker.codec import (
    MAX_HOPS,
    Chunk,
    CodecError,
    decode_chunk,
    decode_tensor,
    encode_chunk,
    encode_tensor,
)
from broker.frame import FrameHeader, FrameTensor, Hop
from broker.ranges import MOST_CHUNK_BYTES, MOST_TENSOR_BYTES
from tests.broker.strategies import chunks, messages


def message(data: Any = None, **changes: Any) -> FrameTensor:
    array = np.arange(6, dtype=np.float32).reshape(2, 3) if data is None else data
    given = {"deployment": "d", "epoch": 1, "camera": "c", "frame_id": 1, **changes}
    return FrameTensor(FrameHeader(**given), "t", array)


def crafted(magic: bytes = b"FWT1", raw: bytes = bytes(24), **changes: Any) -> bytes:
    """Return a payload whose header says what it likes; None leaves a field out."""
    header = {
        "deployment": "d",
        "epoch": 1,
        "camera": "c",
        "frame_id": 1,
        "source": "",
        "tensor": "t",
        "dtype": "float32",
        "shape": [2, 3],
        "age": 0.0,
        "deadline": None,
        "trace": [],
        **changes,
    }
    return framed(msgpack.packb(header), magic, raw)


def framed(header: bytes, magic: bytes = b"FWT1", raw: bytes = bytes(24)) -> bytes:
    head = struct.pack("<4sI", magic, len(header)) + header
    return head + bytes(-len(head) % 16) + raw


def refused(payload: bytes) -> None:
    with pytest.raises(CodecError):
        decode_tensor(payload, 0.0)
    with pytest.raises(CodecError):
        decode_chunk(payload)


def kind_of(payload: bytes) -> str:
    with pytest.raises(CodecError) as caught:
        decode_tensor(payload, 0.0)
    assert "\n" not in str(caught.value)
    return caught.value.kind


# --- what goes in comes out -----------------------------------------------------------------


@given(messages())
def test_a_tensor_comes_out_as_it_went_in(sent: FrameTensor) -> None:
    got = decode_tensor(encode_tensor(sent, 0.0), 0.0)
    assert got.data.dtype == sent.data.dtype.newbyteorder("=")
    assert got.data.shape == sent.data.shape
    np.testing.assert_array_equal(got.data, sent.data)
    assert (got.header, got.tensor) == (sent.header, sent.tensor)


@given(messages())
def test_a_tensor_is_decoded_without_a_copy_aligned_and_read_only(sent: FrameTensor) -> None:
    payload = encode_tensor(sent, 0.0)
    data = decode_tensor(payload, 0.0).data
    assert not data.flags.writeable
    assert data.flags.c_contiguous
    if data.size:
        assert np.shares_memory(data, np.frombuffer(payload, np.uint8))
        offset = data.ctypes.data - np.frombuffer(payload, np.uint8).ctypes.data
        assert offset % 16 == 0


@given(chunks())
def test_a_chunk_comes_out_as_it_went_in(sent: Chunk) -> None:
    got = decode_chunk(encode_chunk(sent))
    assert (got.sha256, got.offset, got.total) == (sent.sha256, sent.offset, sent.total)
    assert bytes(got.data) == sent.data


def test_the_largest_messages_fit_into_what_a_bus_carries() -> None:
    trace = (Hop("p" * 64, "n" * 64, 1.0, 1.0),) * MAX_HOPS
    largest = message(np.zeros(MOST_TENSOR_BYTES, np.uint8), trace=trace)
    assert len(encode_tensor(largest, 0.0)) <= MAX_PAYLOAD_BYTES
    assert decode_tensor(encode_tensor(largest, 0.0), 0.0).header.trace == trace
    chunk = Chunk("0" * 64, 0, MOST_CHUNK_BYTES, bytes(MOST_CHUNK_BYTES))
    assert len(encode_chunk(chunk)) <= MAX_PAYLOAD_BYTES


# --- what cannot travel is refused where it is made -----------------------------------------


@pytest.mark.parametrize("dtype", ["float64", "complex64", "U3", "O", "datetime64[s]"])
def test_other_dtypes_do_not_travel(dtype: str) -> None:
    with pytest.raises(CodecError, match="does not travel"):
        encode_tensor(message(np.zeros(2, dtype)), 0.0)


def test_too_much_is_refused_before_it_is_sent() -> None:
    with pytest.raises(CodecError, match="at most"):
        encode_tensor(message(np.zeros(MOST_TENSOR_BYTES + 1, np.uint8)), 0.0)
    with pytest.raises(CodecError, match="at most"):
        encode_chunk(Chunk("0" * 64, 0, MOST_CHUNK_BYTES + 1, bytes(MOST_CHUNK_BYTES + 1)))
    with pytest.raises(CodecError, match="hops"):
        encode_tensor(message(trace=(Hop("p", "n", 0.0, 0.0),) * (MAX_HOPS + 1)), 0.0)


# --- what is not what it says is refused where it arrives -----------------------------------


@given(st.binary(max_size=200))
def test_arbitrary_bytes_only_ever_raise_codec_error(payload: bytes) -> None:
    for start in (b"", b"FWT1", b"FWC1"):
        refused(start + payload)


@given(
    st.binary(max_size=60).map(framed) | st.binary(max_size=60).map(lambda b: framed(b, b"FWC1"))
)
def test_arbitrary_headers_only_ever_raise_codec_error(payload: bytes) -> None:
    refused(payload)


@given(messages(), st.data())
def test_a_truncated_tensor_is_refused(sent: FrameTensor, data: st.DataObject) -> None:
    payload = encode_tensor(sent, 0.0)
    raw = sent.data.nbytes
    length = data.draw(st.integers(0, len(payload) - 1))
    if raw or length < len(payload) - 16:
        with pytest.raises(CodecError):
            decode_tensor(payload[:length], 0.0)


@given(messages(), st.data())
def test_a_mutated_tensor_decodes_or_raises_codec_error(
    sent: FrameTensor, data: st.DataObject
) -> None:
    payload = bytearray(encode_tensor(sent, 0.0))
    for _ in range(data.draw(st.integers(1, 4))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    try:
        got = decode_tensor(bytes(payload), 0.0)
    except CodecError:
        return
    assert got.data.nbytes <= len(payload)


@given(
    st.dictionaries(
        st.sampled_from(
            ["deployment", "epoch", "camera", "frame_id", "tensor", "dtype", "shape", "deadline"]
        ),
        st.none()
        | st.booleans()
        | st.integers(-(2**63), 2**64 - 1)
        | st.floats()
        | st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
        | st.lists(st.integers(-(2**63), 2**64 - 1), max_size=10),
        min_size=1,
    )
)
def test_a_lying_header_decodes_or_raises_codec_error(lies: dict[str, Any]) -> None:
    for raw in (b"", bytes(24)):
        try:
            got = decode_tensor(crafted(raw=raw, **lies), 0.0)
        except CodecError:
            continue
        assert got.data.nbytes == len(raw)


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("magic", b""),
        ("magic", b"FWT1"),
        ("magic", crafted(magic=b"FWC1")),
        ("magic", crafted(magic=b"FWT2")),
        ("truncated", struct.pack("<4sI", b"FWT1", 2**32 - 1)),
        ("truncated", crafted()[:30]),
        ("header", framed(msgpack.packb([1, 2]))),
        ("header", framed(msgpack.packb(None))),
        ("header", framed(b"\xc1")),
        ("header", framed(b"\xa1\xff")),
        ("header", framed(msgpack.packb({}) + b"\0")),
        ("header", crafted(deployment=3)),
        ("header", crafted(camera=None)),
        ("header", crafted(epoch=-1)),
        ("header", crafted(epoch=True)),
        ("header", crafted(epoch=1.0)),
        ("header", crafted(frame_id=2**63)),
        ("header", crafted(deadline=float("nan"))),
        ("header", crafted(deadline=float("inf"))),
        ("header", crafted(deadline="soon")),
        ("header", crafted(trace=None)),
        ("header", crafted(trace=["hop"])),
        ("header", crafted(trace=[["p", "n", -1.0, 0.0]])),
        ("header", crafted(trace=[["p", "n", 0.0, float("nan")]])),
        ("header", crafted(trace=[["p", "n", float("inf"), 0.0]])),
        ("header", crafted(trace=[["p", "n", 0.0]])),
        ("dtype", crafted(dtype="object")),
        ("dtype", crafted(dtype="float64")),
        ("shape", crafted(shape=[2, 4])),
        ("shape", crafted(shape=[-2, -3])),
        ("shape", crafted(shape=[2, 3.0])),
        ("shape", crafted(shape=None)),
        ("shape", crafted(shape="23")),
        ("shape", crafted(shape=[1] * 9)),
        ("shape", crafted(shape=[2, 3], raw=bytes(23))),
        ("shape", crafted(shape=[2**63, 2**63])),
        ("shape", crafted(shape=[0, 2**63], raw=b"")),
        ("shape", crafted(shape=[0, 2**64 - 1], raw=b"")),
        ("shape", crafted(shape=[0, 2**62, 2**62], raw=b"")),
    ],
)
def test_each_lie_has_its_counter(kind: str, payload: bytes) -> None:
    assert kind_of(payload) == kind


@pytest.mark.parametrize(
    "chunk",
    [
        {"sha256": "0", "offset": 1, "total": 8},
        {"sha256": "0", "offset": 2**63, "total": 2**63 - 1},
        {"sha256": "0", "offset": -1, "total": 8},
        {"sha256": b"0", "offset": 0, "total": 8},
        {"offset": 0, "total": 8},
    ],
)
def test_a_chunk_beyond_its_artifact_is_refused(chunk: dict[str, Any]) -> None:
    with pytest.raises(CodecError):
        decode_chunk(framed(msgpack.packb(chunk), b"FWC1", bytes(8)))


@pytest.mark.parametrize(
    "header",
    [
        b"\xdd" + struct.pack(">I", 60_000) + b"\x80" * 60_000,  # an array of empty maps
        b"\xdf" + struct.pack(">I", 2**31),  # a map that says it is huge
        b"\xdd" + struct.pack(">I", 2**31),  # an array that does
        b"\xdb" + struct.pack(">I", 2**31),  # a text that does
        b"\xc6" + struct.pack(">I", 2**31),  # bytes that do
        b"\xdb" + struct.pack(">I", 60_000) + b"a" * 60_000,
        b"\x91" * 60_000,  # arrays within arrays
        b"\x81\xa1a" * 20_000,  # maps within maps
    ],
)
def test_a_hostile_header_costs_next_to_nothing(header: bytes) -> None:
    payload = framed(header)
    tracemalloc.start()
    try:
        assert kind_of(payload) == "header"
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000


def test_a_header_of_megabytes_is_not_even_looked_at() -> None:
    assert kind_of(framed(b"\xdd" + struct.pack(">I", 2**20) + b"\x80" * 2**20)) == "truncated"
