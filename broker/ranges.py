"""The range of every number and text that travels, declared once.

The wire's range is never wider than the arithmetic behind it: counts stay exact as JSON numbers
and leave room for one more in 64 bits, seconds and rates can be summed and divided. Lists and
maps are bounded so that a site of a thousand nodes and some thousand partitions fits.
"""

from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field

from broker.printable import printable

MEGABYTE: Final = 1024 * 1024
MOST_COUNT: Final = 2**53
MOST_SECONDS: Final = 1e9
MOST_RATE: Final = 1e15
MOST_ENTRIES: Final = 10_000
"""Partitions, tensors, fog nodes or classes in one message."""
MOST_DEPLOYMENTS: Final = 500
MOST_RANK: Final = 8
MOST_NAME: Final = 256
MOST_LABEL: Final = 512
MOST_TENSOR_BYTES: Final = 3 * MEGABYTE
"""A frame or tensor travels in one message; larger ones are refused where they are made."""
MOST_CHUNK_BYTES: Final = MEGABYTE
NO_CONTROLS: Final = "^[^\\x00-\\x1f\\x7f-\\x9f\u2028\u2029]*$"
"""What is shown on a terminal somewhere holds nothing that a terminal acts on."""
_TEXT: Final = 2048
_TREE_TEXT: Final = 65_536
_TREE_DEPTH: Final = 12

Count = Annotated[int, Field(ge=0, le=MOST_COUNT)]
Seconds = Annotated[float, Field(ge=0, le=MOST_SECONDS)]
RunSeconds = Annotated[float, Field(ge=0, le=3600)]
"""What one run of a partition takes."""
UnixSeconds = Annotated[float, Field(ge=0, le=1e11)]
Rate = Annotated[float, Field(ge=1, le=MOST_RATE)]
"""Bytes or multiply-accumulates per second; never so low that a division by it overflows."""
FramesPerSecond = Annotated[float, Field(ge=0, le=MOST_RATE)]
Share = Annotated[float, Field(ge=0, le=1)]
Load = Annotated[float, Field(ge=0, le=1e6)]
Priority = Annotated[float, Field(ge=-MOST_RATE, le=MOST_RATE)]
Pixel = Annotated[float, Field(ge=-1e6, le=1e6)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Id = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$")]
"""A fog node, a camera or a deployment."""
OptionalId = Annotated[str, Field(pattern=r"^([a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?)?$")]
Name = Annotated[str, Field(pattern=NO_CONTROLS, max_length=MOST_NAME)]
"""A partition, a tensor, a class or a counter."""
Label = Annotated[str, Field(pattern=NO_CONTROLS, max_length=MOST_LABEL)]
"""What a camera calls a picture, what hardware is called."""
Text = Annotated[str, AfterValidator(lambda text: printable(text, _TEXT))]
"""A reason, in words: what a terminal would act on is spelled out, and a longer one cut rather than lost."""


def check_unique(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return names of which none is twice.

    Raises:
        ValueError: one is.
    """
    if len(set(names)) < len(names):
        raise ValueError("a name is there twice")
    return names


def check_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of a tensor that a message can carry.

    Raises:
        ValueError: it has more elements than a message has bytes.
    """
    elements = 1
    for size in shape:
        elements *= size
        if elements > MOST_TENSOR_BYTES:
            raise ValueError(f"a tensor of this shape is more than {MOST_TENSOR_BYTES} bytes")
    return shape


Size = Annotated[int, Field(ge=0, le=MOST_TENSOR_BYTES)]
Extent = Annotated[int, Field(ge=1, le=MOST_TENSOR_BYTES)]
Shape = Annotated[tuple[Size, ...], Field(max_length=MOST_RANK), AfterValidator(check_shape)]
PictureShape = Annotated[tuple[Extent, Extent, Extent, Extent], AfterValidator(check_shape)]


def check_tree(tree: Any) -> Any:
    """Return JSON of another's making with every number and text in it in range.

    Raises:
        ValueError: it is not; the sentence names the first value that is not.
    """
    waiting: list[tuple[str, int, Any]] = [("", 0, tree)]
    while waiting:
        where, depth, value = waiting.pop()
        match value:
            case None | bool():
                continue
            case int() | float() if abs(value) <= MOST_COUNT:
                continue
            case str() if len(value) <= _TREE_TEXT:
                continue
            case dict() if depth < _TREE_DEPTH and all(len(key) <= _TEXT for key in value):
                waiting += [(f"{where}.{key}", depth + 1, inner) for key, inner in value.items()]
            case list() | tuple() if depth < _TREE_DEPTH and len(value) <= MOST_ENTRIES:
                waiting += [(f"{where}.{i}", depth + 1, inner) for i, inner in enumerate(value)]
            case _:
                raise ValueError(f"{where.lstrip('.')[:200]}: out of range")
    return tree


Tree = Annotated[dict[str, Any], BeforeValidator(check_tree)]
"""A bundle as it travels: its own fields are validated by whoever knows them."""
Entries: Any = Field(max_length=MOST_ENTRIES)
Names = Annotated[tuple[Name, ...], Entries]
UniqueNames = Annotated[Names, AfterValidator(check_unique)]
Totals = Annotated[dict[Name, Count], Field(max_length=256)]
