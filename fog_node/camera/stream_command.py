"""``fog-camera stream``: one source, for one deployment or more."""

import os
import threading
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from broker.access.joining import Joined
from broker.bus.mqtt import MqttBus
from broker.bus.seam import Bus
from broker.bus.sharing import SharedBus
from broker.command_line import check_ids, refuse, wait_connected
from broker.ending import Stop, stopped_by_signals
from broker.join_options import connection, own_id
from fog_node.camera.camera import Camera
from fog_node.camera.report import Report
from fog_node.camera.settings import CameraSettings, Pace
from fog_node.camera.source_broker import SourceBroker, read_authority, source_bus
from fog_node.camera.streams import Streams
from fog_node.sources.live import Feed
from fog_node.sources.mqtt import SCHEME, MqttPictures, topic_filter_of
from fog_node.sources.opening import Opening, open_sources
from fog_node.sources.source import Source, SourceError
from fog_node.sources.topic_ids import has_wildcard


@dataclass(frozen=True, slots=True)
class Given:
    """What the command was given, as it was typed."""

    deployments: tuple[str, ...]
    source: str
    camera: str | None
    pace: Pace
    offset: int
    wait_s: float
    source_broker: str | None
    source_password_file: Path | None
    source_ca: Path | None


def stream_pictures(joined: Joined, given: Given, report: Report) -> None:
    """Stream until the pictures end or the command is told to stop, and end it with the summary."""
    if given.source.startswith(SCHEME):
        _stream_topics(joined, given, report)
        return
    if given.source_broker is not None or given.source_password_file is not None:
        refuse("--source-broker is of a source mqtt:TOPIC-FILTER; leave it and its password out")
    camera = own_id(joined, given.camera)
    with stopped_by_signals(late_code=1) as stop:
        sources = _open(given, camera, stop)
        with connection(joined, f"{joined.site}/camera/{camera}", retry=True) as bus:
            _await_broker(bus, given.wait_s, stop)
            streams = Streams(stop, report.progress)
            streams.add(_cameras(joined, given, bus, camera, report), lambda: sources)
            streams.wait()
            if stop.told:  # closing the connection may take longer than there is time
                _end(streams, report)
                return
        _end(streams, report)  # the connection has said what it had to say: a right that is missing


def _open(given: Given, camera: str, stop: Stop) -> list[Source]:
    """Return the source once for each stream; none if we are told to stop before it is open.

    A data set takes seconds, and a folder on a bad disk as long as it likes: so on a thread of its own.
    """
    over = threading.Event()
    stop.calls(over.set)
    opened: list[list[Source] | Exception] = []

    def act() -> None:
        try:
            ca = None if given.source_ca is None else read_authority(given.source_ca)
            how = Opening(given.offset, camera, ca)
            opened.append(open_sources(given.source, len(given.deployments), how))
        except Exception as error:  # noqa: BLE001  raised again where somebody hears of it
            opened.append(error)
        over.set()

    threading.Thread(target=act, name="opening", daemon=True).start()
    over.wait()
    match opened:
        case [SourceError() | ValueError() as error]:
            refuse(error)
        case [Exception() as error]:
            raise error
        case [list() as sources]:
            return sources
    return []


def _stream_topics(joined: Joined, given: Given, report: Report) -> None:
    """Stream the pictures that cameras publish over MQTT."""
    try:
        topic_filter = topic_filter_of(given.source)
        broker = _source_broker(given)
    except (SourceError, ValueError) as error:
        refuse(error)
    several = has_wildcard(topic_filter)
    closed = joined.device is not None
    if closed and broker is None:
        refuse(
            f"--source {SCHEME}{topic_filter}: in a closed fog a camera may read no topics but its own; "
            "name the broker of these by --source-broker"
        )
    if closed and several:
        refuse(
            f"--source {SCHEME}{topic_filter}: its wildcards may name several cameras, and a join file is "
            "of one; name one topic, or list them for fog-camera run"
        )
    if several and given.camera is None:
        camera = f"topics-{uuid.uuid4().hex[:12]}"
        check_ids(site=joined.site)
    else:
        camera = own_id(joined, given.camera)
    with stopped_by_signals(late_code=1) as stop:
        with (
            connection(joined, f"{joined.site}/camera/{camera}", retry=True) as bus,
            source_bus(broker, bus, camera) as from_bus,
        ):
            _await_broker(bus, given.wait_s, stop)
            streams, shared = Streams(stop, report.progress), SharedBus(bus)

            def begin(name: str, feed: Feed) -> None:
                views: list[Source] = [feed.view() for _ in given.deployments]
                cameras = _cameras(joined, given, shared.share(), name, report, patient=several)
                streams.add(cameras, lambda: views)

            own = shared.share() if from_bus is bus else from_bus
            pictures = MqttPictures(own, topic_filter, camera=camera, on_camera=begin)
            if not several:
                begin(camera, pictures.feed())
            streams.wait(for_more=several, forever=several and given.pace.count is None)
            pictures.close()
            if stop.told:
                _end(streams, report, pictures if several else None)
                return
        _end(streams, report, pictures if several else None)


def _source_broker(given: Given) -> SourceBroker | None:
    if given.source_broker is None:
        if given.source_password_file is not None or given.source_ca is not None:
            raise ValueError("--source-password-file and --source-ca are of --source-broker")
        return None
    ca = None if given.source_ca is None else read_authority(given.source_ca)
    return SourceBroker.of(given.source_broker, given.source_password_file, ca, os.environ)


def _await_broker(bus: MqttBus, wait_s: float, stop: Stop) -> None:
    """Wait for the broker, unless the command is told to stop: then there is a summary of nothing."""
    if not wait_connected(bus, seconds=wait_s, stop=stop) and not stop.told:
        refuse(f"{bus.trouble}; waited {wait_s:g} s")


def _cameras(
    joined: Joined, given: Given, bus: Bus, name: str, report: Report, *, patient: bool = False
) -> list[Camera]:
    return [
        Camera(
            CameraSettings.of(
                given.pace,
                deployment=deployment,
                camera=name,
                site=joined.site,
                wait_s=given.wait_s,
                patient=patient,
            ),
            bus,
            report.log,
            report.tell,
        )
        for deployment in given.deployments
    ]


def _end(streams: Streams, report: Report, pictures: MqttPictures | None = None) -> None:
    """Say what the streams came to; one alone that could not begin is a refusal."""
    summaries = streams.summaries()
    if pictures is not None:
        other: dict[str, Any] = {"source": {**pictures.counters}, "trouble": pictures.trouble}
        report.end_all(summaries, other)
    elif len(summaries) > 1:
        report.end_all(summaries, {})
    elif summaries[0]["fault"] is not None:
        refuse(summaries[0]["fault"])
    else:
        report.end(summaries[0])
