"""The one reader of pictures, for training and for cameras: the same files, the same rules."""

import io
import math
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from pictures.capture import exif_time
from pictures.errors import UnreadableError
from pictures.fit import planes
from pictures.framing import WHOLE, Framing
from pictures.header import Header
from pictures.kinds import HEAD_BYTES, is_raw, kind_of, no_file, no_picture
from pictures.modes import UnreadablePixelsError, eight_bits, is_grey
from pictures.quiet import quiet

Pixels = npt.NDArray[np.uint8]
Size = tuple[int, int]  # height, width

LEAST_DECODED: Final = 96
"""Whoever asks for less gets the same pixels as who asks for this: training and camera see alike."""

MOST_PIXELS: Final = 100_000_000
"""What is decoded at most, 400 MB in Pillow; JPEGs may be larger where they are decoded smaller."""

_FINER: Final = (
    2  # decoded at twice the size, averaging to the size wanted is as good as from all pixels
)
_ORIENTATION: Final = 0x0112
_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS: Final = range(5, 9)  # these orientations swap width and height


def read_picture(path: Path, at_least: Size | None = None) -> Pixels:
    """Read one picture file upright, as uint8 (1, H, W) when it is grey, else (3, H, W).

    at_least: the height and width that are wanted, see `size_needed`. A JPEG that is much larger is
    decoded smaller then, never below twice what is wanted. Of animations the first picture counts.
    Raises DatasetError, one line that begins with the path: no such file, no file (a FIFO), no
    picture, damaged, too large. Never blocks on what is no regular file.
    """
    with _file(path) as file, _opened(file, str(path)) as image:
        return _pixels(image, str(path), at_least)


def decode_picture(data: bytes, name: str, at_least: Size | None = None) -> Pixels:
    """Decode the bytes of a picture file as `read_picture` does; ``name`` begins the line of a refusal."""
    with _opened(io.BytesIO(data), name) as image:
        return _pixels(image, name, at_least)


def read_bytes(path: Path) -> bytes:
    """Return what is in a regular file. Raises DatasetError as `read_picture` does."""
    with _file(path) as file:
        try:
            return file.read()
        except OSError as error:
            raise UnreadableError(path, str(error.strerror or error)) from None


def read_header(path: Path) -> Header:
    """Return what the header of a picture file says, without decoding it. Raises DatasetError."""
    with _file(path) as file, _opened(file, str(path)) as image:
        return _header(image)


def decode_whole(data: bytes, name: str, at_least: Size | None = None) -> tuple[Header, Pixels]:
    """Return what `read_header` and `decode_picture` do, from opening the picture once."""
    with _opened(io.BytesIO(data), name) as image:
        return _header(image), _pixels(image, name, at_least)


def size_needed(shape: tuple[int, int, int], framing: Framing = WHOLE) -> Size:
    """Return the height and width of the whole picture when its framed zone is to have a shape (C, H, W)."""
    _, _, width, height = framing.crop or (0.0, 0.0, 1.0, 1.0)
    return math.ceil(shape[1] / height), math.ceil(shape[2] / width)


@contextmanager
def _file(path: Path) -> Iterator[BinaryIO]:
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise UnreadableError(path, no_file(mode))
        file = path.open("rb")
    except FileNotFoundError:
        raise UnreadableError(path, "no such file") from None
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte
        raise UnreadableError(path, str(getattr(error, "strerror", None) or error)) from None
    with file:
        yield file


@contextmanager
def _opened(file: BinaryIO, name: str) -> Iterator[Image.Image]:
    """Open a picture and turn whatever goes wrong with it, here and in the context, into one line."""
    try:
        kind = _kind(file, name)
        with quiet(), Image.open(file, formats=(kind,)) as image:
            yield image
    except UnreadableError:
        raise
    except UnreadablePixelsError as error:
        raise UnreadableError(name, str(error)) from None
    except Image.DecompressionBombError:
        raise UnreadableError(name, "too large, more pixels than any camera makes") from None
    except UnidentifiedImageError:
        raise UnreadableError(name, "damaged, or of an unusual kind") from None
    except MemoryError:
        raise UnreadableError(name, "too large for the memory of this machine") from None
    except Exception as error:  # noqa: BLE001 - decoders raise whatever damaged bytes lead them to
        raise UnreadableError(name, _damage(error)) from None


def _kind(file: BinaryIO, name: str) -> str:
    """Return what Pillow calls the kind of a picture, which it knows from now on."""
    head = file.read(HEAD_BYTES)
    kind = kind_of(head)
    if kind is None or (kind == "TIFF" and is_raw(name)):
        raise UnreadableError(name, no_picture(name, head))
    _register(kind, name)
    return kind


def _damage(error: Exception) -> str:
    words = " ".join(str(error).split())
    if "truncated" in words.lower() or isinstance(error, EOFError):
        return "truncated, its end is missing"
    return f"damaged ({words[:100] or type(error).__name__})"


def _register(kind: str, name: str) -> None:
    """Have Pillow know a kind that it does not know by itself."""
    if kind == "HEIF":
        try:
            import pillow_heif
        except ImportError:
            raise UnreadableError(
                name, "an HEIC picture; in your clone: pip install '.[heif]'"
            ) from None
        pillow_heif.register_heif_opener()
        return
    if kind not in Image.OPEN:
        Image.preinit()
    if kind not in Image.OPEN:
        Image.init()
    if kind not in Image.OPEN:
        hint = " 11.3 or newer" if kind == "AVIF" else ""
        raise UnreadableError(name, f"{kind} pictures need a Pillow{hint} that reads them")


def _header(image: Image.Image) -> Header:
    width, height = image.size
    if _orientation(image) in _SIDEWAYS:
        width, height = height, width
    return Header(width, height, is_grey(image), exif_time(image))


def _pixels(image: Image.Image, name: str, at_least: Size | None) -> Pixels:
    turn = _orientation(image)
    if at_least is not None:
        _draft(image, at_least, sideways=turn in _SIDEWAYS)
    if math.prod(image.size) > MOST_PIXELS:
        width, height = image.size
        raise UnreadableError(
            name, f"too large, {width}x{height} pixels are more than {MOST_PIXELS // 10**6} million"
        )
    image.load()
    plain = eight_bits(image)
    if turn in _TURNS:
        plain = plain.transpose(_TURNS[turn])
    return planes(plain)


def _draft(image: Image.Image, at_least: Size, *, sideways: bool) -> None:
    """Have a JPEG decoded at a half, a quarter or an eighth of its size where that is enough.

    A progressive one takes the memory of its whole size even so; it counts as what it is.
    """
    height, width = (_FINER * max(each, LEAST_DECODED) for each in at_least)
    if not (image.info.get("progressive") and math.prod(image.size) > MOST_PIXELS):
        image.draft(None, (height, width) if sideways else (width, height))


def _orientation(image: Image.Image) -> int:
    """Return how the picture lies, by EXIF; 1, upright, where it says nothing that makes sense.

    Pillow turns TIFFs itself when it loads them.
    """
    if image.format == "TIFF":
        return 1
    try:
        told = image.getexif().get(_ORIENTATION)
    except Exception:  # noqa: BLE001 - whatever is wrong with EXIF, the picture is there
        return 1
    return told if isinstance(told, int) and told in _TURNS else 1
