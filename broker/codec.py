"""The binary payloads: frames and tensors, and the chunks of artifacts.

Layout: magic ``FWT1`` or ``FWC1`` (4 bytes) · header length (uint32, little endian) · msgpack
header · zeros up to a multiple of 16 · raw bytes. The raw bytes are never msgpack, so a tensor is
decoded without a copy, and aligned. A header is small and flat: limits on maps, arrays and strings
keep a hostile one from costing memory (5 MB of empty maps would cost 374 MB).
"""

import re
import struct
from dataclasses import dataclass
from typing import Any, Final

import msgpack
import numpy as np

from broker.frame import FrameHeader, FrameTensor, Hop
from broker.printable import printable
from broker.ranges import (
    MOST_CHUNK_BYTES,
    MOST_COUNT,
    MOST_LABEL,
    MOST_NAME,
    MOST_RANK,
    MOST_SECONDS,
    MOST_TENSOR_BYTES,
    NO_CONTROLS,
)

MAX_HOPS: Final = 256

_NO_CONTROLS: Final = re.compile(NO_CONTROLS)
_TENSOR_MAGIC: Final = b"FWT1"
_CHUNK_MAGIC: Final = b"FWC1"
_ALIGN: Final = 16
_MAX_HEADER_BYTES: Final = 64 * 1024
_DTYPES: Final = {
    name: np.dtype(name).newbyteorder("<")
    for name in ("bool", "uint8", "int8", "uint16", "int16", "int32", "int64", "float16", "float32")
}


class CodecError(ValueError):
    """A payload that is not what it says, in one sentence; ``kind`` is the counter it belongs to."""

    def __init__(self, kind: str, sentence: str) -> None:
        self.kind = kind
        super().__init__(printable(sentence))


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes ``offset`` to ``offset + len(data)`` of the ``total`` bytes that have this hash."""

    sha256: str
    offset: int
    total: int
    data: bytes | memoryview


def encode_tensor(message: FrameTensor, now: float) -> bytes:
    """Return the payload of a frame or tensor that leaves at ``now`` (monotonic seconds).

    Raises:
        CodecError: the dtype does not travel, there are more than ``MOST_TENSOR_BYTES``, or the
            trace is longer than any way through a fog.
    """
    header = message.header
    dtype = _DTYPES.get(message.data.dtype.name)
    if dtype is None:
        raise CodecError(
            "dtype", f"tensor {message.tensor}: dtype {message.data.dtype} does not travel"
        )
    # Not ascontiguousarray, which makes a scalar a vector; and the byte order is part of the dtype.
    data = np.asarray(message.data, dtype, order="C")
    if data.nbytes > MOST_TENSOR_BYTES:
        raise CodecError(
            "size", f"tensor {message.tensor}: {data.nbytes} bytes, at most {MOST_TENSOR_BYTES}"
        )
    if len(header.trace) > MAX_HOPS:
        raise CodecError("trace", f"tensor {message.tensor}: more than {MAX_HOPS} hops")
    fields = {
        "deployment": header.deployment,
        "epoch": header.epoch,
        "camera": header.camera,
        "frame_id": header.frame_id,
        "source": header.source,
        "tensor": message.tensor,
        "dtype": data.dtype.name,
        "shape": data.shape,
        "age": max(0.0, now - header.since),
        "deadline": None if header.expires_at is None else max(0.0, header.expires_at - now),
        "trace": [
            (hop.partition, hop.node, float(hop.queued_s), float(hop.run_s)) for hop in header.trace
        ],
    }
    return _pack(_TENSOR_MAGIC, fields, data.data.cast("B") if data.nbytes else b"")


def decode_tensor(payload: bytes, now: float) -> FrameTensor:
    """Return what arrived at ``now`` (monotonic seconds); its data is a read-only view of ``payload``.

    Raises:
        CodecError: anything at all is wrong with it.
    """
    header, raw = _unpack(_TENSOR_MAGIC, payload)
    tensor = _text(header, "tensor")
    dtype = _DTYPES.get(_text(header, "dtype"))
    shape = header.get("shape")
    if dtype is None:
        raise CodecError("dtype", f"tensor {tensor}: dtype {header['dtype']!r} does not travel")
    if not isinstance(shape, list) or len(shape) > MOST_RANK:
        raise CodecError("shape", f"tensor {tensor}: no shape")
    if not all(type(size) is int and size >= 0 for size in shape):
        raise CodecError("shape", f"tensor {tensor}: {shape} is not a shape")
    try:
        data = np.frombuffer(raw, dtype).reshape(shape)
    except (ValueError, OverflowError):
        raise CodecError(
            "shape", f"tensor {tensor}: shape {shape} of {dtype} does not fit {len(raw)} bytes"
        ) from None
    left = None if header.get("deadline") is None else _seconds(header, "deadline")
    return FrameTensor(
        FrameHeader(
            deployment=_text(header, "deployment"),
            epoch=_count(header, "epoch"),
            camera=_text(header, "camera"),
            frame_id=_count(header, "frame_id"),
            source=_text(header, "source", MOST_LABEL),
            since=now - _seconds(header, "age"),
            expires_at=None if left is None else now + left,
            trace=_trace(header.get("trace")),
        ),
        tensor,
        data,
    )


def encode_chunk(chunk: Chunk) -> bytes:
    """Return the payload of a chunk of an artifact."""
    if len(chunk.data) > MOST_CHUNK_BYTES:
        raise CodecError("size", f"chunk of {len(chunk.data)} bytes, at most {MOST_CHUNK_BYTES}")
    header = {"sha256": chunk.sha256, "offset": chunk.offset, "total": chunk.total}
    return _pack(_CHUNK_MAGIC, header, chunk.data)


def decode_chunk(payload: bytes) -> Chunk:
    """Return the chunk in ``payload``, its data a view.

    Raises:
        CodecError: anything at all is wrong with it.
    """
    header, raw = _unpack(_CHUNK_MAGIC, payload)
    chunk = Chunk(_text(header, "sha256"), _count(header, "offset"), _count(header, "total"), raw)
    if chunk.offset + len(raw) > chunk.total or len(raw) > MOST_CHUNK_BYTES:
        raise CodecError("chunk", f"chunk at {chunk.offset} does not fit {chunk.total} bytes")
    return chunk


def _pack(magic: bytes, header: dict[str, Any], raw: bytes | memoryview) -> bytes:
    packed: bytes = msgpack.packb(header)
    head = struct.pack("<4sI", magic, len(packed)) + packed
    return b"".join((head, bytes(-len(head) % _ALIGN), raw))


def _unpack(magic: bytes, payload: bytes) -> tuple[dict[str, Any], memoryview]:
    if len(payload) < 8 or payload[:4] != magic:
        raise CodecError("magic", f"no {magic.decode()} message")
    (length,) = struct.unpack_from("<I", payload, 4)
    start = 8 + length + -(8 + length) % _ALIGN
    if length > _MAX_HEADER_BYTES or start > len(payload):
        raise CodecError("truncated", f"header of {length} bytes in {len(payload)}")
    try:
        header = msgpack.unpackb(
            memoryview(payload)[8 : 8 + length],
            max_map_len=16,
            max_array_len=MAX_HOPS,
            max_str_len=512,
            max_bin_len=0,
            max_ext_len=0,
        )
    except (ValueError, msgpack.UnpackException, RecursionError) as error:
        raise CodecError("header", f"header is not msgpack within its limits ({error})") from None
    if not isinstance(header, dict):
        raise CodecError("header", "header is not a map")
    return header, memoryview(payload)[start:]


def _text(header: dict[str, Any], name: str, most: int = MOST_NAME) -> str:
    value = header.get(name)
    if not isinstance(value, str) or not _is_name(value, most):
        raise CodecError("header", f"header has no text {name}")
    return value


def _is_name(text: str, most: int = MOST_NAME) -> bool:
    return len(text) <= most and _NO_CONTROLS.fullmatch(text) is not None


def _count(header: dict[str, Any], name: str) -> int:
    value = header.get(name)
    if type(value) is not int or not 0 <= value <= MOST_COUNT:
        raise CodecError("header", f"header has no count {name}")
    return value


def _seconds(header: dict[str, Any], name: str) -> float:
    value = header.get(name)
    if (type(value) is int or type(value) is float) and 0 <= value <= MOST_SECONDS:
        return float(value)
    raise CodecError("header", f"header has no seconds {name}")


def _trace(value: Any) -> tuple[Hop, ...]:
    if not isinstance(value, list):
        raise CodecError("header", "header has no trace")
    hops = []
    for hop in value:
        match hop:
            case [
                str(partition),
                str(node),
                float() | int() as queued_s,
                float() | int() as run_s,
            ] if (
                _is_name(partition)
                and _is_name(node)
                and 0 <= queued_s <= MOST_SECONDS
                and 0 <= run_s <= MOST_SECONDS
            ):
                hops.append(Hop(partition, node, float(queued_s), float(run_s)))
            case _:
                raise CodecError("header", f"trace: {hop!r} is not a hop")
    return tuple(hops)
