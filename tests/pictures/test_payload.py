"""The picture in a camera's message: the forms that cameras send, and a word for what is none."""

import base64
import contextlib
import io
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pictures import payload
from pictures.payload import PayloadError, picture_in


def encoded(kind: str, **options: object) -> bytes:
    noise = np.random.default_rng(7).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, kind, **options)
    return file.getvalue()


def with_thumbnail() -> bytes:
    """A JPEG with a small JPEG, end marker and all, in its EXIF data."""
    exif = Image.Exif()
    exif[0x927C] = encoded("JPEG")
    return encoded("JPEG", exif=exif)


JPEG, PNG = encoded("JPEG"), encoded("PNG")
TEXT = base64.b64encode(JPEG).decode()
URI = f"data:image/jpeg;base64,{TEXT}"

FORMS = {
    "bare JPEG": JPEG,
    "bare PNG": PNG,
    "progressive JPEG": encoded("JPEG", progressive=True),
    "JPEG with a small one inside": with_thumbnail(),
    "JPEG with bytes after its end": JPEG + b"\0\0padding",
    "WebP": encoded("WEBP"),
    "GIF": encoded("GIF"),
    "BMP": encoded("BMP"),
    "TIFF": encoded("TIFF"),
    "base64": TEXT.encode(),
    "base64 in lines": base64.encodebytes(JPEG),
    "base64 without padding": TEXT.rstrip("=").encode(),
    "base64 for addresses": base64.urlsafe_b64encode(JPEG),
    "base64 in quotes": json.dumps(TEXT).encode(),
    "data URI": URI.encode(),
    "data URI with a parameter": f"DATA:image/jpeg;charset=utf-8;base64,{TEXT}".encode(),
    "JSON with image": json.dumps({"time": 1, "image": TEXT}).encode(),
    "JSON with a data URI": json.dumps({"image": URI}).encode(),
    "JSON with imageBase64": json.dumps({"imageBase64": TEXT}).encode(),
    "JSON with any field": json.dumps({"id": "door", "snapshot": TEXT, "seq": 7}).encode(),
    "JSON in JSON": json.dumps({"event": "motion", "data": {"image": TEXT}}).encode(),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_picture_is_found_in_whatever_it_is_wrapped(name: str) -> None:
    found = picture_in(FORMS[name])
    with Image.open(io.BytesIO(found)) as image:
        image.load()
        assert image.size == (32, 24)


CHUNK = {"chunk": 1, "chunks": 4, "data": TEXT[: len(TEXT) // 4]}
REFUSED = {
    "nothing": (b"", "empty"),
    "white space": (b" \n", "empty"),
    "cut JPEG": (JPEG[: len(JPEG) // 2], "truncated"),
    "JPEG cut after the small one inside": (with_thumbnail()[:-2], "truncated"),
    "JPEG cut in its header": (JPEG[:20], "truncated"),
    "cut PNG": (PNG[:-5], "truncated"),
    "cut WebP": (FORMS["WebP"][:-5], "truncated"),
    "cut BMP": (FORMS["BMP"][:-5], "truncated"),
    "cut base64": (TEXT[: len(TEXT) // 2].encode(), "truncated"),
    "cut data URI": (URI[: len(URI) // 2 + 1].encode(), "truncated"),
    "cut JSON": (FORMS["JSON with image"][:200], "truncated"),
    "first chunk": (json.dumps(CHUNK).encode(), "chunked"),
    "later chunk": (json.dumps({**CHUNK, "data": TEXT[400:800]}).encode(), "chunked"),
    "ring-mqtt's part": (json.dumps({"total_parts": 3, "part": 1, "payload": "x"}).encode(), "chunked"),
    "online": (b"online", "no_picture"),
    "a number": (b"21.5", "no_picture"),
    "base64 of a text": (base64.b64encode(b"no picture, but a text of some length"), "no_picture"),
    "an empty data URI": (b"data:image/jpeg;base64,", "no_picture"),
    "a data URI of text": (b"data:,hello", "no_picture"),
    "JSON without a picture": (b'{"state": "ON"}', "no_picture"),
    "a list": (json.dumps([TEXT]).encode(), "no_picture"),
    "nested twice": (json.dumps({"a": {"b": {"image": TEXT}}}).encode(), "no_picture"),
    "deeply nested": (b"[" * 100_000 + b"]" * 100_000, "no_picture"),
    "a long number": (b'{"image": ' + b"9" * 10_000 + b"}", "no_picture"),
    "no JSON": (b"{image}", "no_picture"),
    "bytes": (bytes(range(256)), "no_picture"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_whole_picture_is_refused_with_a_word(name: str) -> None:
    data, word = REFUSED[name]
    with pytest.raises(PayloadError) as caught:
        picture_in(data)
    assert caught.value.refusal == word


def test_what_is_too_large_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payload, "MOST_BYTES", 100)
    with pytest.raises(PayloadError, match="too many") as caught:
        picture_in(JPEG)
    assert caught.value.refusal == "too_large"


def found_in(data: bytes) -> bytes | None:
    with contextlib.suppress(PayloadError):
        return picture_in(data)
    return None


@given(st.binary(max_size=300))
def test_anything_else_is_refused(data: bytes) -> None:
    found = found_in(data)
    assert found is None or payload.is_picture(found)


@given(st.sampled_from(sorted(FORMS)), st.data())
def test_no_cut_makes_it_fail_otherwise(name: str, data: st.DataObject) -> None:
    whole = FORMS[name]
    found = found_in(whole[: data.draw(st.integers(0, len(whole)))])
    assert found is None or payload.is_picture(found)
