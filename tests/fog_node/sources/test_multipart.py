"""MJPEG as cameras write it, however it is cut on the way."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fog_node.sources import multipart
from fog_node.sources.multipart import Multipart, MultipartError
from tests.fog_node.sources.web_camera import jpeg

BODIES = [
    b"\xff\xd8one\r\n\r\n--not a boundary\xff\xd9",
    b"\xff\xd8two\xff\xd9",
    b"\xff\xd8three\xff\xd9",
]


def stream(
    *, length: bool = True, boundary: bytes = b"--frame", line: bytes = b"\r\n", lead: bytes = b""
) -> bytes:
    made = lead
    for body in BODIES:
        head = [boundary, b"Content-Type: image/jpeg"]
        if length:
            head.append(b"content-LENGTH:  %d" % len(body))
        made += line.join([*head, b"", b""]) + body + line
    return made + boundary + line


STREAMS = {
    "lengths": stream(),
    "no lengths": stream(length=False, boundary=b"--a-boundary-of-its-own"),
    "hyphens in the boundary": stream(boundary=b"----ipcamera--"),
    "bare line feeds": stream(line=b"\n", length=False, boundary=b"--myboundary"),
    "an empty line first": stream(lead=b"\r\n"),
}


@pytest.mark.parametrize("name", STREAMS)
@given(cuts=st.lists(st.integers(0, 400), max_size=8))
def test_parts_come_whole_however_they_are_cut(name: str, cuts: list[int]) -> None:
    data, parser, got = STREAMS[name], Multipart(), list[bytes]()
    edges = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    for begin, end in itertools.pairwise(edges):
        got += parser.feed(data[begin:end])
    assert got == BODIES


def test_a_whole_jpeg_does_not_wait_for_the_boundary_that_comes_with_the_next_one() -> None:
    """At a picture a second it would be a second old, and be taken for new."""
    small = jpeg(9)
    exif = b"\xff\xe1" + (len(small) + 2).to_bytes(2, "big") + small  # the end of which is none
    first, second = jpeg(1)[:2] + exif + jpeg(1)[2:], jpeg(2)
    head = b"--frame\r\nContent-Type: image/jpeg\r\n\r\n"
    parser = Multipart()
    assert parser.feed(head + first[: 2 + len(exif)]) == []
    assert parser.feed(first[2 + len(exif) :]) == [first]
    assert parser.feed(b"\r\n" + head + second + b"\r\n") == [second]


def test_what_is_no_such_stream_is_one_sentence() -> None:
    with pytest.raises(MultipartError, match="no boundary"):
        Multipart().feed(b"x" * 20_000)


@pytest.mark.parametrize("length", [b"99999999", b""])
def test_a_part_that_never_ends_is_refused(monkeypatch: pytest.MonkeyPatch, length: bytes) -> None:
    monkeypatch.setattr(multipart, "MOST_BYTES", 1000)
    parser = Multipart()
    head = b"--frame\r\n" + (b"Content-Length: " + length + b"\r\n" if length else b"") + b"\r\n"
    with pytest.raises(MultipartError, match="more than 1,000 bytes"):
        parser.feed(head + b"x" * 1100)
