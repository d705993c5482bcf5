"""Pictures that cameras publish over MQTT, on topics of their own."""

import hashlib
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

from broker.access.redaction import redacted
from broker.bus.inbox import Inbox
from broker.bus.router import check_filter
from broker.bus.seam import Bus, BusError, Message, NotAllowedError
from broker.mistakes import Mistakes
from broker.printable import printable
from fog_node.sources.decoding import decoder
from fog_node.sources.live import Feed
from fog_node.sources.newest import Shot
from fog_node.sources.source import SourceError, picture_name
from fog_node.sources.topic_ids import camera_id, has_wildcard
from pictures.payload import MOST_BYTES, PayloadError, picture_in

_log = logging.getLogger("fog-camera")
SCHEME: Final = "mqtt:"
MOST_CAMERAS: Final = 64
"""From one filter; each has a stream and a picture in memory."""
_QUIET_S: Final = 10.0

OnCamera = Callable[[str, Feed], None]


def topic_filter_of(text: str) -> str:
    """Return the topic filter of ``mqtt:TOPIC-FILTER``.

    Raises:
        SourceError: it is none.
    """
    topic_filter = text.removeprefix(SCHEME)
    try:
        check_filter(topic_filter)
    except ValueError as error:
        raise SourceError(f"{redacted(text)}: {error}") from None
    if topic_filter.startswith("$share/"):
        raise SourceError(
            f"{redacted(text)}: a shared subscription gives others a part of the pictures; leave "
            "$share/GROUP/ out"
        )
    if topic_filter.startswith("//"):
        raise SourceError(
            f"{redacted(text)}: after mqtt: comes a topic, not a broker; its broker is --source-broker"
        )
    return topic_filter


class MqttPictures:
    """Takes the pictures of one topic filter, on a thread of its own; a feed for each camera.

    Without a wildcard there is one camera, ``camera``. With one, the levels that it matches name the
    camera, and ``on_camera`` is called with each new one, on that thread.
    """

    def __init__(
        self,
        bus: Bus,
        topic_filter: str,
        *,
        camera: str = "",
        on_camera: OnCamera = lambda _camera, _feed: None,
    ) -> None:
        self._bus, self._filter = bus, topic_filter
        self._on_camera = on_camera
        self._feeds: dict[str, Feed] = {}  # by topic
        self._cameras: dict[str, str] = {}  # the topic of each
        self._last: dict[str, bytes] = {}  # the digest of the latest payload by topic
        self._said: set[str] = set()
        self._mistakes = Mistakes(_log)
        self._inbox: Inbox[tuple[Message, float]] = Inbox(size=lambda item: len(item[0].payload))
        self._closed = False
        self.counters: Counter[str] = Counter()
        """What came on topics without a camera, by the reason."""
        self.trouble: str | None = None
        if not has_wildcard(topic_filter):
            self._admit(topic_filter, camera)
        threading.Thread(target=self._run, name=f"source-{topic_filter}", daemon=True).start()
        bus.on_refusal(self._refused)
        bus.subscribe(topic_filter, self._hear)

    def feed(self) -> Feed:
        """Return the feed of a filter without wildcards."""
        return self._feeds[self._filter]

    def counted(self) -> dict[str, int | str]:
        """Return what came on topics without a camera, by the reason, and why nothing comes, if it is known."""
        return {**self.counters, **({} if self.trouble is None else {"trouble": self.trouble})}

    def close(self) -> None:
        """Hear no more."""
        self._closed = True
        self._bus.unsubscribe(self._filter)

    def _hear(self, message: Message) -> None:
        self._inbox.offer((message, time.monotonic()))

    def _refused(self, error: BusError) -> None:
        if isinstance(error, NotAllowedError) and error.topic == self._filter:
            self.trouble = f"the broker refused the right to read {self._filter} ({error.reason})"
            for feed in self._feeds.values():
                feed.tell(self.trouble, 0)
            _log.warning(
                "mqtt:%s: %s; in a closed fog a camera reads no topics of others: have their broker "
                "named by --source-broker",
                self._filter,
                self.trouble,
            )

    def _run(self) -> None:
        began, heard = time.monotonic(), False
        while not self._closed:
            item = self._inbox.get(1.0)
            if item is not None:
                heard = True
                self._try(*item)
            elif not heard and time.monotonic() - began > _QUIET_S:
                heard = True
                _log.info("mqtt:%s: no picture has come yet", self._filter)

    def _try(self, message: Message, at: float) -> None:
        """Take a message; a mistake of ours costs this one, not all that follow."""
        try:
            self._take(message, at)
        except Exception as error:  # noqa: BLE001  the next one is another matter
            self._mistakes.note(message.topic, error, at)

    def _take(self, message: Message, at: float) -> None:
        """Take a picture that was published, or count why it is none that is wanted."""
        topic, payload = message.topic, message.payload
        if message.retain:
            self._count(topic, "retained")  # of nobody knows when
            return
        if len(payload) > MOST_BYTES:
            self._count(topic, "too_large")
            return
        digest = hashlib.blake2b(payload, digest_size=16).digest()
        if self._last.get(topic) == digest:
            self._count(topic, "repeated")
            return
        try:
            picture = picture_in(payload)
        except PayloadError as error:
            self._count(topic, error.refusal)
            self._say_once(topic, error.refusal, str(error))
            return
        feed = self._feeds.get(topic) or self._discover(topic)
        if feed is not None:
            self._last[topic] = digest
            feed.put(Shot(at, picture_name(topic), decoder(picture, printable(topic))))

    def _discover(self, topic: str) -> Feed | None:
        """Return the feed of a camera that shows itself for the first time, if there is room."""
        camera = camera_id(self._filter, topic)
        if camera in self._cameras:
            self.counters["same_id"] += 1
            other = self._cameras[camera]
            self._say_once(topic, "same_id", f"would be camera {camera}, as {other} is; left out")
            return None
        if len(self._feeds) >= MOST_CAMERAS:
            self.counters["too_many"] += 1
            self._say_once(
                "", "too_many", f"more than {MOST_CAMERAS} cameras; the others are left out"
            )
            return None
        feed = self._admit(topic, camera)
        self._on_camera(camera, feed)
        return feed

    def _admit(self, topic: str, camera: str) -> Feed:
        feed = self._feeds[topic] = Feed(f"{camera}: {printable(topic)}")
        self._cameras[camera] = topic
        return feed

    def _count(self, topic: str, name: str) -> None:
        feed = self._feeds.get(topic)
        if feed is None:
            self.counters[name] += 1
        else:
            feed.count(name)

    def _say_once(self, topic: str, name: str, sentence: str) -> None:
        """Say what is wrong with a message, once a reason for each topic, of which there may be any number."""
        if len(self._said) < MOST_CAMERAS * 8 and f"{name} {topic}" not in self._said:
            self._said.add(f"{name} {topic}")
            _log.warning("%s: %s (%s)", printable(topic or self._filter), sentence, name)
