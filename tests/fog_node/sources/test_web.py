"""A camera on the web: asked for pictures or sending them, hanging, restarted, or something else altogether."""

import logging
from collections.abc import Iterator

import pytest

from fog_node.sources import supervision, web_request
from fog_node.sources.live import Feed
from fog_node.sources.opening import Opening, open_sources
from fog_node.sources.source import SourceError
from fog_node.sources.web import Mjpeg, Snapshots, Web
from fog_node.sources.web_address import WebAddress
from tests.fog_node.sources.looking import Looking
from tests.fog_node.sources.web_camera import WebCamera, web_camera


@pytest.fixture
def camera() -> Iterator[WebCamera]:
    with web_camera() as made:
        yield made


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_request, "TIMEOUT_S", 0.3)
    monkeypatch.setattr(supervision, "READ_S", 1.0)


def looking_at(url: str) -> Looking:
    return Looking(open_sources(url, 1, Opening(camera="door"))[0])


def trouble_of(url: str) -> str:
    """Return why an address cannot be read."""
    with pytest.raises(SourceError) as caught:
        Web(WebAddress.parse(url), Feed("door")).open()
    return str(caught.value)


def test_a_camera_that_gives_pictures_is_asked_when_one_is_wanted(camera: WebCamera) -> None:
    looking = looking_at(f"{camera.url}/snapshot.jpg?channel=1")
    pictures = [looking.picture() for _ in range(3)]
    looking.source.close()
    assert {int(picture.pixels.mean()) for picture in pictures} == {50}
    assert all("T" in picture.name for picture in pictures)  # the time of its capture
    assert set(camera.asked) == {"/snapshot.jpg?channel=1"}
    assert len(camera.asked) <= 5  # one of them by the opening


def test_a_stream_is_told_by_its_type_and_its_newest_picture_taken(camera: WebCamera) -> None:
    camera.behaviour = "stream"
    looking = looking_at(camera.url)
    values = [int(looking.picture().pixels.mean()) for _ in range(5)]
    looking.source.close()
    assert values == sorted(set(values))
    assert camera.asked == ["/"]


def test_a_camera_that_hangs_and_one_that_is_restarted_go_on(
    camera: WebCamera, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "fog-camera")
    looking = looking_at(camera.url)
    looking.picture()
    camera.behaviour = "hang"
    looking.until(lambda: looking.source.trouble is not None)
    assert looking.source.trouble == f"door: {camera.url}: no answer for 0.3 s"
    camera.close()
    with web_camera(camera.port) as again:
        again.behaviour = "stream"  # it may have become another camera meanwhile
        looking.picture()
        looking.source.close()
    assert looking.source.counters["reopened"] == 1
    assert caplog.messages[0] == f"door: {camera.url}: opened"
    assert caplog.messages[-1].startswith(f"door: {camera.url}: goes on after")


def test_a_picture_that_is_cut_off_is_counted_and_the_next_one_taken(camera: WebCamera) -> None:
    looking = looking_at(camera.url)
    looking.picture()
    camera.behaviour = "cut"
    looking.until(lambda: looking.source.counters.get("truncated", 0) > 0)
    camera.behaviour = "snapshot"
    looking.picture()
    looking.source.close()
    assert looking.source.counters["reopened"] == 0


def test_a_login_is_given_when_it_is_asked_for_and_never_shown() -> None:
    with web_camera(login="me:se%cret") as camera:
        url = f"http://me:se%25cret@127.0.0.1:{camera.port}/a b?c=d e"
        looking = looking_at(url)
        looking.picture()
        looking.source.close()
        assert "/a%20b?c=d%20e" in camera.asked
        told = trouble_of(url.replace("se%25cret", "wrong"))
        assert told == "answers 401 Unauthorized"


def test_a_login_is_kept_to_itself_where_the_camera_knows_how(camera: WebCamera) -> None:
    """Digest authentication, RFC 2617: realm and nonce are the camera's."""
    camera.behaviour, camera.digest = "snapshot", ("me", "secret")
    for login, told in (("me:secret", ""), ("me:wrong", "answers 401 Unauthorized")):
        url = f"http://{login}@127.0.0.1:{camera.port}/picture?a=b"
        if told:
            assert trouble_of(url) == told
        else:
            assert isinstance(Web(WebAddress.parse(url), Feed("door")).open(), Snapshots)


def test_no_other_host_is_given_the_login() -> None:
    with web_camera() as other, web_camera(login="me:secret") as camera:
        camera.moved = f"http://127.0.0.1:{other.port}/"
        Web(WebAddress.parse(f"http://me:secret@127.0.0.1:{camera.port}/"), Feed("door")).open()
        assert other.logins == [None]


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        ("busy", "answers 503 Busy"),
        ("page", "answers with text/html, which is no picture"),
        ("hang", "no answer for 0.3 s"),
        ("drip", "no answer for 0.3 s"),
        ("round", "sends us from one place to the next, 6 times"),
        ("file", "sends us to what is no address of a camera"),
    ],
)
def test_what_is_no_camera_is_told_in_a_few_words(
    camera: WebCamera, behaviour: str, words: str
) -> None:
    camera.behaviour = behaviour
    assert words in trouble_of(camera.url)
    assert len(camera.asked) <= 8


def test_a_camera_may_send_us_elsewhere(camera: WebCamera) -> None:
    camera.behaviour = "elsewhere"
    assert isinstance(Web(WebAddress.parse(camera.url), Feed("door")).open(), Snapshots)
    assert camera.asked == ["/", "/picture"]


def test_the_kind_is_told_by_the_answer(camera: WebCamera) -> None:
    camera.behaviour = "stream"
    opened = Web(WebAddress.parse(camera.url), Feed("door")).open()
    assert isinstance(opened, Mjpeg)
    opened.close()


def test_nobody_there_is_a_few_words(camera: WebCamera) -> None:
    camera.close()
    assert trouble_of(camera.url) == "Connection refused"


@pytest.mark.parametrize(
    "text", ["http://", "http://:80", "http://host:99999/", "http://host:0/", "http://ho st/"]
)
def test_an_address_that_is_none_is_one_sentence(text: str) -> None:
    with pytest.raises(SourceError, match="no address of a camera: "):
        open_sources(text, 1, Opening())
