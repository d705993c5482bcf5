"""Picture files as people have them: each is written with the pixels that are to be read from it.

What is expected is computed from the values that were written, by numpy or by hand, never by the
reader or by Pillow's conversions.
"""

import io
import os
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

Array = npt.NDArray[np.uint8]

_RNG = np.random.default_rng(7)
COLOUR: Array = _RNG.integers(0, 256, (6, 9, 3), np.uint8)  # (H, W, RGB)
GREY: Array = _RNG.integers(0, 256, (6, 9), np.uint8)
ALPHA: Array = _RNG.integers(0, 256, (6, 9), np.uint8)
SMOOTH: Array = np.stack(
    [
        np.tile(np.linspace(30, 220, 64), (48, 1)),
        np.tile(np.linspace(200, 40, 48)[:, None], (1, 64)),
        np.full((48, 64), 90.0),
    ],
    axis=2,
).astype(np.uint8)
"""What lossy formats keep nearly as it is."""


@dataclass(frozen=True)
class OddFile:
    """A file to write, and what is to be read: pixels (C, H, W), by so many levels wrong at most."""

    name: str
    write: Callable[[Path], None]
    expected: Array
    tolerance: int = 0


def planes(values: Array) -> Array:
    return values[np.newaxis] if values.ndim == 2 else values.transpose(2, 0, 1)


def on_grey(values: Array, alpha: Array) -> Array:
    share = alpha.astype(float) / 255
    if values.ndim == 3:
        share = share[..., np.newaxis]
    return np.rint(values * share + 128 * (1 - share)).astype(np.uint8)


def saved(values: npt.NDArray[Any], **extra: Any) -> Callable[[Path], None]:
    """Write an array through Pillow; a file's kind is that of its suffix unless `format` says it."""
    return lambda path: Image.fromarray(values).save(path, **extra)


def content(data: bytes) -> Callable[[Path], None]:
    return lambda path: void(path.write_bytes(data))


def void(_: object) -> None:
    pass


def png(
    width: int, height: int, depth: int, colour: int, rows: bytes, *more: tuple[bytes, bytes]
) -> bytes:
    """Write a PNG by hand, for what Pillow does not write; rows: filter byte and samples of each."""
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)), *more]
    chunks += [(b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def sixteen_bit_png(values: npt.NDArray[np.uint16], colour: int) -> bytes:
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    return png(values.shape[1], values.shape[0], 16, colour, rows)


WORD = b"Exif\0\0MM\0*" + struct.pack(">IHHHI4sI", 8, 1, 0x0112, 2, 2, b"6", 0)
"""EXIF whose orientation is a text."""


def exif(orientation: int) -> bytes:
    fields = Image.Exif()
    fields[0x0112] = orientation
    return fields.tobytes()


def as_jpeg(values: Array, **extra: Any) -> bytes:
    data = io.BytesIO()
    Image.fromarray(values).save(data, "JPEG", **{"quality": 95, "subsampling": 0, **extra})
    return data.getvalue()


def with_exif(jpeg: bytes, payload: bytes) -> bytes:
    """Put an APP1 segment with any bytes behind the beginning of a JPEG."""
    body = b"Exif\0\0" + payload
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


TURNED: dict[int, Callable[[Array], Array]] = {
    1: lambda values: values,
    2: lambda values: values[:, ::-1],
    3: lambda values: values[::-1, ::-1],
    4: lambda values: values[::-1],
    5: lambda values: values.swapaxes(0, 1),
    6: lambda values: values.swapaxes(0, 1)[:, ::-1],  # a quarter to the right
    7: lambda values: values[::-1, ::-1].swapaxes(0, 1),
    8: lambda values: values.swapaxes(0, 1)[::-1],  # a quarter to the left
}


def cmyk_jpeg(transform: int, values: tuple[int, int, int, int]) -> Callable[[Path], None]:
    """Write an even JPEG of four inks as Adobe does; with transform 2 they are meant as YCCK."""

    def write(path: Path) -> None:
        data = io.BytesIO()
        Image.new("CMYK", (16, 8), values).save(data, "JPEG", quality=100)
        jpeg = bytearray(data.getvalue())
        at = jpeg.index(b"Adobe")
        jpeg[at + 11] = transform
        path.write_bytes(bytes(jpeg))

    return write


def even(colour: tuple[int, int, int], height: int = 8, width: int = 16) -> Array:
    return np.tile(np.array(colour, np.uint8), (height, width, 1))


def _animated(kind: str, **extra: Any) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        first, *rest = [Image.new("RGB", (9, 6), (level, 0, 255 - level)) for level in (255, 0, 80)]
        first.save(path, kind, save_all=True, append_images=rest, **extra)

    return write


def _palette(transparent: bytes | None, colours: list[int]) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        image = Image.frombytes("P", (9, 6), INDICES.tobytes())
        image.putpalette(colours)
        extra: dict[str, Any] = {} if transparent is None else {"transparency": transparent}
        image.save(path, **extra)

    return write


INDICES: Array = _RNG.integers(0, 3, (6, 9), np.uint8)
COLOURS = [200, 10, 30, 0, 250, 90, 17, 18, 190]
TABLE = np.array(COLOURS, np.uint8).reshape(3, 3)
GREYS = [7, 7, 7, 130, 130, 130, 250, 250, 250]
DEEP: npt.NDArray[np.uint16] = _RNG.integers(0, 65536, (6, 9), np.uint16)
DEEP_COLOUR: npt.NDArray[np.uint16] = _RNG.integers(0, 65536, (6, 9, 3), np.uint16)
SHARES: npt.NDArray[np.float32] = _RNG.random((6, 9), np.float32)
BITS: Array = _RNG.integers(0, 2, (6, 9), np.uint8)


def readable() -> Iterator[OddFile]:
    """Yield the files that are to be read."""
    for orientation, turn in TURNED.items():
        yield OddFile(
            f"turned-{orientation}.png",
            saved(COLOUR, exif=exif(orientation)),
            planes(turn(COLOUR)),
        )
    yield OddFile("turned.tif", saved(COLOUR, tiffinfo={0x0112: 6}), planes(TURNED[6](COLOUR)))
    yield OddFile(
        "turned.jpg", saved(SMOOTH, quality=95, exif=exif(8)), planes(TURNED[8](SMOOTH)), 6
    )
    yield OddFile("orientation-9.png", saved(COLOUR, exif=exif(9)), planes(COLOUR))
    yield OddFile("orientation-word.png", saved(COLOUR, exif=WORD), planes(COLOUR))
    jpeg = as_jpeg(SMOOTH)
    for name, payload in (
        ("exif-noise.jpg", b"\x9f" * 40),
        ("exif-none.jpg", b""),
        ("exif-endless.jpg", b"II*\0\x08\0\0\0" + b"\xff" * 30),
        ("exif-loop.jpg", b"II*\0\x08\0\0\0\x01\0\x69\x87\x04\0\x01\0\0\0\x08\0\0\0\x08\0\0\0"),
    ):
        yield OddFile(name, content(with_exif(jpeg, payload)), planes(SMOOTH), 4)
    yield OddFile("exif-far.tif", saved(COLOUR, tiffinfo={0x8769: 4_000_000}), planes(COLOUR))
    yield OddFile("progressive.jpg", saved(SMOOTH, progressive=True, quality=95), planes(SMOOTH), 6)
    inks = (40, 90, 160, 30)
    red, green, blue = (round((255 - ink) * (255 - inks[3]) / 255) for ink in inks[:3])
    rgb = (red, green, blue)
    yield OddFile("cmyk.jpg", cmyk_jpeg(0, inks), planes(even(rgb)), 3)
    yield OddFile("ycck.jpg", cmyk_jpeg(2, inks), planes(even(_ycck(inks))), 4)
    yield OddFile("cmyk.tif", _cmyk_tiff(inks), planes(even(rgb)), 2)
    yield OddFile("bits.png", saved(BITS.astype(np.bool_)), planes(BITS * 255))
    yield OddFile(
        "bits.tif", saved(BITS.astype(np.bool_), compression="group4"), planes(BITS * 255)
    )
    yield OddFile("bits.bmp", saved(BITS.astype(np.bool_)), planes(BITS * 255))
    yield OddFile("bits.pbm", saved(BITS.astype(np.bool_)), planes(BITS * 255))
    yield OddFile("palette.png", _palette(None, COLOURS), planes(TABLE[INDICES]))
    yield OddFile("palette.gif", _palette(None, COLOURS), planes(TABLE[INDICES]))
    yield OddFile(
        "greys.png", _palette(None, GREYS), planes(np.array(GREYS[::3], np.uint8)[INDICES])
    )
    alphas = np.array([255, 0, 99], np.uint8)
    yield OddFile(
        "palette-clear.png",
        _palette(alphas.tobytes(), COLOURS),
        planes(on_grey(TABLE[INDICES], alphas[INDICES])),
        1,
    )
    yield OddFile(
        "clear.png",
        saved(np.dstack([COLOUR, ALPHA])),
        planes(on_grey(COLOUR, ALPHA)),
        1,
    )
    yield OddFile(
        "clear-grey.png", saved(np.dstack([GREY, ALPHA])), planes(on_grey(GREY, ALPHA)), 1
    )
    keyed = COLOUR.copy()
    keyed[2:4] = (1, 2, 3)
    yield OddFile(
        "key.png",
        saved(keyed, transparency=(1, 2, 3)),
        planes(np.where((keyed == (1, 2, 3)).all(2, keepdims=True), 128, keyed).astype(np.uint8)),
    )
    yield OddFile(
        "deep.png", content(sixteen_bit_png(DEEP, 0)), planes((DEEP >> 8).astype(np.uint8))
    )
    yield OddFile(
        "deep-colour.png",
        content(_deep_colour_png()),
        planes((DEEP_COLOUR >> 8).astype(np.uint8)),
    )
    yield OddFile("deep.tif", saved(DEEP), planes((DEEP >> 8).astype(np.uint8)))
    yield OddFile(
        "deep.pgm",
        content(b"P5 9 6 65535\n" + DEEP.astype(">u2").tobytes()),
        planes((DEEP >> 8).astype(np.uint8)),
    )
    yield OddFile("int.tif", saved(DEEP.astype(np.int32)), planes((DEEP >> 8).astype(np.uint8)))
    yield OddFile("shares.tif", saved(SHARES), planes(np.rint(SHARES * 255).astype(np.uint8)))
    levels = (SHARES * 200 + 20).astype(np.float32)
    yield OddFile("levels.tif", saved(levels), planes(np.rint(levels).astype(np.uint8)))
    yield OddFile("film.gif", _animated("GIF"), planes(even((255, 0, 0), 6, 9)))
    yield OddFile("film.webp", _animated("WEBP", lossless=True), planes(even((255, 0, 0), 6, 9)))
    yield OddFile("film.png", _animated("PNG"), planes(even((255, 0, 0), 6, 9)))
    yield OddFile("pages.tif", _animated("TIFF"), planes(even((255, 0, 0), 6, 9)))
    yield OddFile("stereo.mpo", _animated("MPO", quality=95), planes(even((255, 0, 0), 6, 9)), 3)
    yield OddFile("exact.webp", saved(COLOUR, lossless=True), planes(COLOUR))
    yield OddFile("next.avif", saved(SMOOTH, quality=95), planes(SMOOTH), 8)
    yield OddFile("phone.heic", _heic(SMOOTH), planes(SMOOTH), 8)
    yield OddFile("exact.jp2", saved(COLOUR, irreversible=False), planes(COLOUR))
    yield OddFile("IMG_1.JPG", saved(COLOUR, format="PNG"), planes(COLOUR))
    yield OddFile("no-suffix", saved(GREY, format="BMP"), planes(GREY))


def _cmyk_tiff(values: tuple[int, int, int, int]) -> Callable[[Path], None]:
    return lambda path: Image.new("CMYK", (16, 8), values).save(path)


def _deep_colour_png() -> bytes:
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in DEEP_COLOUR)
    return png(9, 6, 16, 2, rows)


def _ycck(values: tuple[int, int, int, int]) -> tuple[int, int, int]:
    """Return red, green and blue of what the file holds: 255 less each value, as Adobe stores inks.

    The first three are a colour as luma and differences, which stands for how much ink there is.
    """
    luma, blue, red, key = (255 - value for value in values)
    inks = (
        luma + 1.402 * (red - 128),
        luma - 0.344136 * (blue - 128) - 0.714136 * (red - 128),
        luma + 1.772 * (blue - 128),
    )
    first, second, third = (round((255 - min(max(ink, 0), 255)) * key / 255) for ink in inks)
    return first, second, third


def _heic(values: Array) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        import pillow_heif

        pillow_heif.register_heif_opener()
        Image.fromarray(values).save(path, "HEIF", quality=95)

    return write


@dataclass(frozen=True)
class Refused:
    """A file to write, and words of the reason why it is not read."""

    name: str
    write: Callable[[Path], None]
    reason: str


def _lab(path: Path) -> None:
    Image.new("LAB", (4, 4)).save(path)


def _bomb(path: Path) -> None:
    path.write_bytes(png(60_000, 60_000, 8, 2, b""))


def _large(path: Path) -> None:
    path.write_bytes(png(12_000, 9_000, 8, 0, b""))


def _nan(path: Path) -> None:
    values = SHARES.copy()
    values[1, 1] = np.nan
    saved(values)(path)


def refused() -> Iterator[Refused]:
    """Yield the files that are not to be read, each with its own reason."""
    noise = io.BytesIO()
    Image.fromarray(_RNG.integers(0, 256, (64, 64), np.uint8)).save(noise, "PNG")
    jpeg = as_jpeg(_RNG.integers(0, 256, (64, 64, 3), np.uint8))
    yield Refused("empty.jpg", content(b""), "empty, 0 bytes")
    yield Refused("cut.png", content(noise.getvalue()[:2000]), "truncated")
    yield Refused("cut.jpg", content(jpeg[: len(jpeg) // 2]), "truncated")
    yield Refused("header.jpg", content(jpeg[:20]), "truncated|damaged")
    yield Refused("cut.gif", content(b"GIF89a\x05\0\x05\0\0\0\0"), "damaged|truncated")
    yield Refused("cut.webp", content(b"RIFF\x20\0\0\0WEBPVP8L"), "damaged")
    yield Refused("cut.tif", content(b"II*\0\xff\xff\xff\x7f"), "damaged")
    yield Refused("cut.avif", content(b"\0\0\0\x20ftypavif" + b"\0" * 40), "damaged")
    yield Refused("cut.heic", content(b"\0\0\0\x20ftypheic" + b"\0" * 40), "damaged")
    yield Refused("text.jpg", content("Bild fehlt: \u00fc".encode()), "not a picture but text")
    yield Refused("noise.jpg", content(b"\x01\x9f" * 50), "not a picture")
    yield Refused("pages.pdf", content(b"%PDF-1.4 ..."), "a PDF document")
    yield Refused("film.mp4", content(b"\0\0\0\x18ftypisom" + b"\0" * 40), "a video")
    yield Refused("film.avi", content(b"RIFF\0\0\0\0AVI LIST"), "a video")
    yield Refused("sketch.svg", content(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), "SVG")
    yield Refused("all.zip", content(b"PK\x03\x04...."), "an archive")
    yield Refused("DSC_1.NEF", saved(COLOUR, format="TIFF"), "a raw file of a camera")
    yield Refused("bomb.png", _bomb, "too large")
    yield Refused("large.png", _large, "12000x9000 pixels are more than 100 million")
    yield Refused("lab.tif", _lab, "kind LAB")
    yield Refused("nan.tif", _nan, "no numbers")
    yield Refused("minus.tif", saved(-SHARES), "float pixels from -")
    yield Refused("far.tif", saved(SHARES * 4000), "only 0 to 1 or 0 to 255")
    yield Refused("negative.tif", saved(DEEP.astype(np.int32) - 40_000), "integer pixels from -")
    yield Refused("link.jpg", lambda path: path.symlink_to("nowhere.jpg"), "no such file")
    yield Refused("fifo.jpg", os.mkfifo, "a FIFO, not a file")
    yield Refused("folder.jpg", Path.mkdir, "a folder, not a file")
    yield Refused("device.jpg", lambda path: path.symlink_to("/dev/zero"), "a device, not a file")
