"""`inspect`: what is in a data set, for people and for programs, before anything is computed."""

import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from coordinator.commands import app
from tests.pictures.made_pictures import write_idx, write_idx_folder


def run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["inspect", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


def refused(*arguments: object) -> str:
    code, stdout, stderr = run(*arguments)
    assert (code, stdout) == (2, "")
    (line,) = stderr.splitlines()
    return line


@pytest.fixture
def doors(tmp_path: Path) -> Path:
    """Two classes, one file that is no picture, a copy in the wrong class, names that a page must escape."""
    folder = tmp_path / "doors"
    rng = np.random.default_rng(0)
    for name in ("<b>open", "closed"):
        (folder / name).mkdir(parents=True)
        for index in range(20):
            pixels = rng.integers(0, 256, (24, 32, 3), np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{index}.png")
    (folder / "closed" / "notes.txt").write_text("<script>")
    (folder / "closed" / "copy.png").write_bytes((folder / "<b>open" / "3.png").read_bytes())
    return folder


class _Page(HTMLParser):
    """The tags of a page, and whether anything is fetched from elsewhere."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.elsewhere: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name in ("src", "href") and not (value or "").startswith("data:image/"):
                self.elsewhere.append(value or "")


def test_the_page_needs_nothing_else_and_names_what_matters(doors: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    code, stdout, stderr = run(doors, "--out", out)
    assert code == 0
    assert (
        "doors: 41 pictures of 2 classes, 8 of them to test on; a network sees 32x24 colour"
        in stdout
    )
    assert "skipped closed/notes.txt: not a picture but text" in stdout
    assert f"page: {out}" in stdout
    assert "warning: the same picture in two classes: <b>open/3.png and closed/copy.png" in stderr
    text = out.read_text(encoding="utf-8")
    page = _Page(text)
    assert not page.elsewhere
    assert "script" not in page.tags
    assert page.tags.count("img") == 2 * 2 + 20 + 21 - 2  # a pair, and all of both classes
    for words in ("in two classes", "not a picture but text", "&lt;b&gt;open", "32 &times; 24"):
        assert words in text


def test_json_has_the_fields_of_the_contract(doors: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    code, stdout, _ = run(doors, "--json")
    assert code == 0
    said = json.loads(stdout)
    assert said.keys() == {"classes", "skipped", "warnings"}
    assert said["classes"]["closed"] == {"pictures": 21, "test": 4}
    assert said["skipped"] == [{"file": "closed/notes.txt", "reason": "not a picture but text"}]
    assert any("copy.png" in warning for warning in said["warnings"])
    assert sorted(tmp_path.rglob("*")) == before  # no page unless one is asked for


def test_a_page_never_lies_among_the_pictures(
    doors: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "lies among the pictures" in refused(doors, "--out", doors / "closed" / "page.html")
    assert "is a folder" in refused(doors, "--out", tmp_path)
    assert "there is no folder" in refused(doors, "--out", tmp_path / "absent" / "page.html")
    monkeypatch.chdir(doors / "closed")
    _, stdout, _ = run("..")
    assert f"page: {tmp_path / 'doors-inspect.html'}" in stdout
    assert not list(doors.rglob("*.html"))


def test_size_colour_and_zone_are_as_asked(doors: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    options = ("--size", "16x8", "--colour", "grey", "--crop", "0.5,0,0.5,1", "--fit", "pad")
    _, stdout, _ = run(doors, "--out", out, *options)
    assert "a network sees 16x8 grey" in stdout
    assert (
        "The zone from 50%, 0%, 50% wide and 100% high, scaled with its aspect kept"
        in out.read_text()
    )
    _, stdout, _ = run(doors, "--out", out, "--size", "12")
    assert "a network sees 12x9 colour" in stdout


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--size", "big"), "--size big: is neither pixels of the longer side nor WIDTHxHEIGHT"),
        (("--size", "0"), "--size 0: sides are from 1 to 4096"),
        (("--size", "20x9000"), "--size 20x9000: sides are from 1 to 4096"),
        (("--crop", "1,2"), "--crop 1,2: is not LEFT,TOP,WIDTH,HEIGHT"),
        (("--crop", "0.5,0.5,0.6,0.1"), "--crop: left + width and top + height are at most 1"),
        (("--crop", "nan,0,1,1"), "--crop: left and top are shares"),
        (("--fit", "squeeze"), "--fit"),
    ],
)
def test_a_wrong_option_is_refused_by_its_name(
    doors: Path, options: tuple[str, str], says: str
) -> None:
    assert says in refused(doors, *options)


def test_what_cannot_be_trained_on_ends_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "cat").mkdir()
    assert "cat: no pictures in it" in refused(tmp_path)
    assert "no data set of that name" in refused("absent")


def test_copies_in_data_sets_without_files_are_found(tmp_path: Path) -> None:
    folder = write_idx_folder(tmp_path / "idx")
    pixels = np.random.default_rng(1).integers(0, 256, (40, 8, 8), np.uint8)
    pixels[7] = pixels[0]  # 7 is of class 1, 0 of class 0
    write_idx(folder / "train-images-idx3-ubyte", pixels)
    code, stdout, stderr = run(folder, "--out", tmp_path / "page.html", "--size", "4")
    assert code == 0
    assert "a network sees 4x4 grey" in stdout
    assert "the same picture in two classes: 0, train 0 and 1, train 7" in stderr
