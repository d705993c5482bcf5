"""hypothesis strategies of this folder: tensors and chunks as they travel, and control messages."""

import string
from typing import Annotated, Any, Literal, get_args, get_origin

import numpy as np
from annotated_types import Ge, Le, MaxLen
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from broker.codec import Chunk
from broker.frame import FrameHeader, FrameTensor, Hop
from broker.payload import Payload
from broker.ranges import MOST_COUNT, NO_CONTROLS, check_shape
from broker.tensor_specs import InputSpec

DTYPES = ("bool", "uint8", "int8", "uint16", "int16", "int32", "int64", "float16", "float32")

names_of = st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"])
names = st.text(names_of, min_size=1, max_size=20)
counts = st.integers(0, MOST_COUNT)
seconds = st.floats(0, 1e9)
hops = st.builds(Hop, names, names, seconds, seconds)


@st.composite
def tensors(draw: st.DrawFn) -> NDArray[Any]:
    """Arrays of any dtype that travels, scalars and empty ones included, in either byte order."""
    dtype = np.dtype(draw(st.sampled_from(DTYPES))).newbyteorder(draw(st.sampled_from("<>")))
    shape = draw(arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5))
    array: NDArray[Any] = draw(arrays.arrays(dtype, shape))
    return array.T if draw(st.booleans()) else array


def messages() -> st.SearchStrategy[FrameTensor]:
    headers = st.builds(
        FrameHeader,
        deployment=names,
        epoch=counts,
        camera=names,
        frame_id=counts,
        source=st.just("") | names,
        since=st.floats(-1e6, 0.0),
        expires_at=st.none() | st.floats(0.0, 1e6),
        trace=st.lists(hops, max_size=5).map(tuple),
    )
    return st.builds(FrameTensor, headers, names, tensors())


@st.composite
def chunks(draw: st.DrawFn) -> Chunk:
    data = draw(st.binary(max_size=100))
    offset = draw(st.integers(0, 2**40))
    return Chunk(draw(names), offset, offset + len(data) + draw(counts.map(lambda n: n % 9)), data)


def payloads(kind: type[Payload]) -> st.SearchStrategy[Payload]:
    """Return messages of one kind, whatever its fields allow."""
    if kind is InputSpec:
        return inputs()
    fields = kind.model_fields.items()
    return st.builds(
        kind, **{name: _values(field.annotation, field.metadata) for name, field in fields}
    )


@st.composite
def inputs(draw: st.DrawFn) -> InputSpec:
    channels = draw(st.integers(1, 4))
    numbers = st.floats(-1e6, 1e6)
    per_channel = st.lists(numbers, min_size=channels, max_size=channels).map(tuple)
    return InputSpec(
        name=draw(st.text(names_of, max_size=5)),
        shape=(1, channels, draw(st.integers(1, 700)), draw(st.integers(1, 700))),
        dtype="float32",
        mean=draw(per_channel),
        std=draw(per_channel.filter(lambda std: min(map(abs, std)) > 1e-6)),
        crop=draw(st.sampled_from([None, (0.0, 0.0, 1.0, 1.0), (0.25, 0.5, 0.5, 0.5)])),
        fit=draw(st.sampled_from(["stretch", "pad", "cover"])),
    )


def _values(hint: Any, limits: Any = ()) -> st.SearchStrategy[Any]:
    """Return values of a field's type; ``limits`` as pydantic keeps them."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _values(parts[0], [*limits, *_limits(parts[1:])])
    if origin is Literal:
        return st.sampled_from(parts)
    if origin is tuple:
        checks = [getattr(limit, "func", None) for limit in limits]
        entries = st.integers(0, 12) if check_shape in checks else _values(parts[0])
        unique = (lambda entry: getattr(entry, "id", entry)) if check_shape not in checks else None
        return st.lists(entries, max_size=3, unique_by=unique).map(tuple)
    if origin is dict:
        return st.dictionaries(_values(parts[0]), _values(parts[1]), max_size=3)
    if parts:  # something or None
        return st.one_of(*map(_values, parts))
    return (
        payloads(hint)
        if isinstance(hint, type) and issubclass(hint, Payload)
        else _plain(hint, limits)
    )


def _limits(annotations: Any) -> list[Any]:
    """Return the limits in a field's annotations one by one."""
    return [limit for info in annotations for limit in getattr(info, "metadata", [info])]


def _plain(hint: Any, limits: Any) -> st.SearchStrategy[Any]:
    lowest: Any = next((limit.ge for limit in limits if isinstance(limit, Ge)), None)
    highest: Any = next((limit.le for limit in limits if isinstance(limit, Le)), None)
    longest = next((limit.max_length for limit in limits if isinstance(limit, MaxLen)), 20)
    pattern = next((p for limit in limits if (p := getattr(limit, "pattern", None))), None)
    if hint is str and pattern is not None:
        if pattern == NO_CONTROLS:
            return st.text(names_of, max_size=20)
        return st.from_regex(pattern.replace("$", r"\Z"), alphabet=string.printable)
    plain: dict[Any, st.SearchStrategy[Any]] = {
        str: st.text(names_of, max_size=min(longest, 20)),
        int: st.integers(lowest, highest),
        float: st.floats(lowest, highest, allow_nan=False, allow_infinity=False),
        bool: st.booleans(),
        type(None): st.none(),
        Any: st.none() | names,
    }
    return plain[hint]


SECRETS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12).map("Zq7{}qZ9".format)
"""Passwords with everything in them, marked at both ends."""


@st.composite
def addresses_with(draw: st.DrawFn, secret: str) -> str:
    """Addresses with a password in them, as they are typed, also by somebody in a hurry."""
    scheme = draw(
        st.sampled_from(["mqtt://", "mqtts://", "MQTT://", "http://", "rtsp://", "", "mqtt:/"])
    )
    user = draw(st.sampled_from(["", "me", "a@b", "a b", "[", "x:y"]))
    host = draw(st.sampled_from(["host", "", "h:1883", "h:x", "[::1", "a@b", "h/t?u#v", "h h"]))
    return f"{scheme}{user}:{secret}@{host}"


def shows(secret: str, text: str) -> bool:
    """Return whether ``text`` has an end of a secret of ``SECRETS`` in it."""
    return any(mark in text.lower() for mark in (secret[:3].lower(), secret[-3:].lower()))
