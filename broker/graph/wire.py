"""Protocol buffers as they travel, read by a table of the fields that are expected.

A general parser builds an object for every two bytes of a hostile file, skips what it does not know
and merges what stands twice, so that the next reader may see another message. This one walks lengths,
counts what it builds, and refuses all of that.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

MOST_FIELDS: Final = 100_000
"""In a whole message: a network of a thousand operators has fewer than 30,000."""

MOST_DEPTH: Final = 12
_VARINT_BYTES: Final = 10
_MOST_TEXT: Final = 1024

Message = dict[str, Any]
"""Values by the name of the field: a list where it is repeated, absent where it was not there."""


class WireError(ValueError):
    """Bytes are no message of the kind that is expected, in one sentence."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a message; of one that is refused ``name`` says what it would be.

    ``bytes`` are a view that nobody unpacked. A ``skipped`` field says nothing that matters; a ``refused``
    one must not be there.
    """

    name: str
    kind: Literal["int", "float", "text", "bytes", "message", "skipped", "refused"]
    repeated: bool = False
    schema: "Schema | None" = None


Schema = Mapping[int, Field]
"""The fields of a message by number."""


def read_message(data: bytes | memoryview, schema: Schema) -> Message:
    """Return the message in ``data``; views in it point into ``data``.

    Raises:
        WireError: it is cut off, nests too deep, is too large, or has fields that are not expected.
    """
    return _Reader().message(memoryview(data), schema, MOST_DEPTH)


class _Reader:
    """Reads one message, and counts what it builds of it."""

    def __init__(self) -> None:
        self._left = MOST_FIELDS

    def _spend(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise WireError(f"more than {MOST_FIELDS} fields")

    def message(self, data: memoryview, schema: Schema, depth: int) -> Message:
        """Return a message, in which others nest at most ``depth`` deep."""
        if depth == 0:
            raise WireError("messages nest too deep")
        message: Message = {}
        at = 0
        while at < len(data):
            self._spend()
            key, at = _varint(data, at)
            number, wire = key >> 3, key & 7
            field = schema.get(number)
            if field is None:
                raise WireError(f"field {number} is not known here")
            chunk, at = _chunk(data, at, wire)
            if field.kind == "refused":
                raise WireError(f"{field.name} is not allowed")
            if field.kind != "skipped":
                _keep(message, field, self._values(field, wire, chunk, depth))
        return message

    def _values(self, field: Field, wire: int, chunk: memoryview, depth: int) -> list[Any]:
        """Return the values that one occurrence of a field brings: several where it is packed."""
        if field.kind == "int":
            return self._ints(field, wire, chunk)
        if field.kind == "float":
            return self._floats(field, wire, chunk)
        if wire != 2:
            raise WireError(f"{field.name} has wire type {wire}")
        if field.kind == "message":
            return [self.message(chunk, field.schema or {}, depth - 1)]
        return [_text(field, chunk) if field.kind == "text" else chunk]

    def _ints(self, field: Field, wire: int, chunk: memoryview) -> list[int]:
        if wire != 0 and (wire != 2 or not field.repeated):
            raise WireError(f"{field.name} has wire type {wire}")
        values, at = [], 0
        while at < len(chunk):
            self._spend()
            value, at = _varint(chunk, at)
            values.append(value - 2**64 if value >= 2**63 else value)
        return values

    def _floats(self, field: Field, wire: int, chunk: memoryview) -> list[float]:
        if (wire != 5 and (wire != 2 or not field.repeated)) or len(chunk) % 4:
            raise WireError(f"{field.name} has wire type {wire}")
        values = []
        for (value,) in struct.iter_unpack("<f", chunk):
            self._spend()
            values.append(value)
        return values


def _keep(message: Message, field: Field, values: list[Any]) -> None:
    """Put what was read into its message."""
    if field.repeated:
        message.setdefault(field.name, []).extend(values)
    elif field.name in message:
        raise WireError(f"{field.name} stands twice")
    else:
        (message[field.name],) = values


def _text(field: Field, chunk: memoryview) -> str:
    if len(chunk) > _MOST_TEXT:
        raise WireError(f"{field.name} has {len(chunk)} bytes")
    try:
        return bytes(chunk).decode()
    except UnicodeDecodeError:
        raise WireError(f"{field.name} is no text") from None


def _chunk(data: memoryview, at: int, wire: int) -> tuple[memoryview, int]:
    """Return the bytes of a value, and where the next field begins."""
    if wire == 0:
        return data[at : (after := _varint(data, at)[1])], after
    if wire == 2:
        length, at = _varint(data, at)
    elif wire in (1, 5):
        length = 8 if wire == 1 else 4
    else:
        raise WireError(f"wire type {wire} is not used")
    if length > len(data) - at:
        raise WireError("cut off in the middle of a field")
    return data[at : at + length], at + length


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    """Return an unsigned number of at most 64 bits, and where it ends."""
    value = 0
    for index in range(_VARINT_BYTES):
        if at + index >= len(data):
            raise WireError("cut off in the middle of a number")
        byte = data[at + index]
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            if value >= 2**64:
                break
            return value, at + index + 1
    raise WireError("a number has more than 64 bits")
