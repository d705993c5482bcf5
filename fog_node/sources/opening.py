"""From the text of ``--source`` to the sources that it names, one for each stream that it feeds."""

from dataclasses import dataclass
from pathlib import Path

from broker.access.redaction import redacted
from fog_node.sources import mqtt, video, web_address
from fog_node.sources.folder import open_files
from fog_node.sources.live import Feed
from fog_node.sources.named import NAMES, open_named
from fog_node.sources.source import Source, SourceError
from fog_node.sources.supervised import OpenReader, Supervised
from fog_node.sources.web import Web


@dataclass(frozen=True, slots=True)
class Opening:
    """How a source is opened: at which picture, for which camera, and whom it trusts (PEM)."""

    offset: int = 0
    camera: str = "camera"
    ca: str | None = None


def is_live(text: str) -> bool:
    """Return whether ``text`` names a camera: only one reader may have it, and it never ends."""
    return text.startswith((*video.SCHEMES, *web_address.SCHEMES, mqtt.SCHEME))


def check_source(text: str) -> None:
    """Refuse what can be no source, whatever there is to be opened.

    Raises:
        SourceError: it is none, in one sentence.
    """
    if text.startswith(mqtt.SCHEME):
        mqtt.topic_filter_of(text)
    elif text.startswith(web_address.SCHEMES):
        web_address.WebAddress.parse(text)
    elif text.startswith(video.SCHEMES):
        video.place_of(text)


def open_sources(text: str, streams: int, how: Opening) -> list[Source]:
    """Return the source that ``text`` names, once for each of ``streams``.

    ``mnist`` and ``fashion`` give their held-out pictures with labels, a folder gives its pictures in
    the order of their names, the label being the name of the folder they lie in, a file is one
    picture; all of them over and over. ``webcam:0``, ``rtsp://…`` (both need OpenCV) and ``http://…``
    are read by threads of their own once a stream begins. ``mqtt:…`` needs a bus: see `mqtt.MqttPictures`.

    Raises:
        SourceError: there is nothing there, in one sentence.
    """
    if text.startswith(mqtt.SCHEME):
        raise SourceError(f"{redacted(text)}: pictures over MQTT need a broker")
    if text.startswith(video.SCHEMES):
        feed = Feed(f"{how.camera}: {redacted(text)}")
        return _read(feed, video.video_opening(text, feed), streams)
    if text.startswith(web_address.SCHEMES):
        address = web_address.WebAddress.parse(text)
        feed = Feed(f"{how.camera}: {redacted(text)}")
        return _read(feed, Web(address, feed, how.ca).open, streams)
    if text in NAMES:
        return [open_named(text, how.offset) for _ in range(streams)]
    return [open_files(Path(text), how.offset) for _ in range(streams)]


def _read(feed: Feed, open_reader: OpenReader, streams: int) -> list[Source]:
    views: list[Source] = [feed.view() for _ in range(streams)]
    Supervised(feed, open_reader)
    return views
