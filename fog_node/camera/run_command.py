"""``fog-camera run CAMERAS.yaml``: several cameras in one process, of which none ends another."""

import logging
import os
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from broker.access.joining import Joined
from broker.bus.seam import Bus
from broker.bus.sharing import SharedBus
from broker.bus.url import BrokerUrl
from broker.command_line import refuse
from broker.ending import stopped_by_signals
from broker.files.file_model import read_model
from broker.files.text import FileError
from broker.join_options import JoinedWith, connection
from fog_node.camera.camera import Camera
from fog_node.camera.cameras_file import CamerasFile
from fog_node.camera.cameras_plan import Planned, check_shared, plan
from fog_node.camera.report import Report
from fog_node.camera.settings import CameraSettings
from fog_node.camera.source_broker import source_bus
from fog_node.camera.streams import Streams
from fog_node.sources.live import Feed
from fog_node.sources.mqtt import SCHEME, MqttPictures, topic_filter_of
from fog_node.sources.opening import Opening, open_sources
from fog_node.sources.source import Source
from fog_node.sources.topic_ids import has_wildcard

_log = logging.getLogger("fog-camera")
_WAIT_S: Final = 30.0
"""Without an answer for so long, people are told."""


def run_cameras(path: Path, joined: JoinedWith, report: Report) -> None:
    """Run all cameras of a file until they are done or the command is told to stop."""
    try:
        file = read_model(path, CamerasFile)
        planned = plan(file, path.parent, os.environ)
        shared = joined(broker=file.broker, site=file.site)
        check_shared(planned, shared.device)
    except FileError as error:
        refuse(error)
    except ValueError as error:
        refuse(f"{path}: {error}")
    with stopped_by_signals(late_code=1) as stop, ExitStack() as stack:
        running = _Running(Streams(stop, report.progress), report, stack, shared, planned)
        for each in planned:
            running.begin(each)
        running.streams.wait(forever=running.open_ended)
        told = stop.told
        for pictures in running.pictures.values():
            pictures.close()
        counted = {name: each.counted() for name, each in running.pictures.items()}
        # Now: closing the connections may take longer than there is time.
        report.end_all(running.streams.summaries(), counted, told_to_stop=told)


class _Running:
    """Begins the streams of one camera after the other; connections are closed with ``stack``."""

    def __init__(
        self,
        streams: Streams,
        report: Report,
        stack: ExitStack,
        joined: Joined,
        planned: list[Planned],
    ) -> None:
        self.streams, self._report, self._stack = streams, report, stack
        self._joined = joined
        self._bus: SharedBus | None = None
        self.pictures: dict[str, MqttPictures] = {}
        self.open_ended = False
        """Whether further cameras may show themselves."""
        self._lock = threading.Lock()
        self._taken = set(_named(planned))

    def begin(self, planned: Planned) -> None:
        """Begin the streams of one entry."""
        entry = planned.entry
        site = (planned.joined or self._joined).site
        bus = self._shared() if planned.joined is None else self._own(planned.joined, planned.name)

        def cameras(name: str, deployments: Sequence[str]) -> list[Camera]:
            return [
                Camera(
                    CameraSettings.of(
                        entry.pace,
                        deployment=each,
                        camera=name,
                        site=site,
                        wait_s=_WAIT_S,
                        patient=True,
                    ),
                    bus.share(),
                    self._report.log,
                    self._report.tell,
                )
                for each in deployments
            ]

        if planned.source.startswith(SCHEME):
            self._begin_topics(planned, bus, cameras)
            return
        opening = Opening(entry.offset, planned.name, planned.ca)
        streams = len(entry.deployments)
        self.streams.add(
            cameras(planned.name, entry.deployments),
            lambda: open_sources(planned.source, streams, opening),
        )

    def _begin_topics(
        self,
        planned: Planned,
        bus: SharedBus,
        cameras: Callable[[str, Sequence[str]], list[Camera]],
    ) -> None:
        topic_filter = topic_filter_of(planned.source)

        def begin(name: str, feed: Feed, deployments: Sequence[str]) -> None:
            views: list[Source] = [feed.view() for _ in deployments]
            self.streams.add(cameras(name, deployments), lambda: views)

        def discovered(name: str, feed: Feed) -> None:
            if deployments := self._take(name, planned.entry.deployments, feed.name):
                begin(name, feed, deployments)

        name = planned.name or "topics"
        from_bus: Bus = self._stack.enter_context(source_bus(planned.broker, bus.share(), name))
        made = MqttPictures(from_bus, topic_filter, camera=planned.name, on_camera=discovered)
        where = "" if planned.broker is None else f" of {BrokerUrl.parse(planned.broker.url)}"
        self.pictures[planned.source + where] = made
        if has_wildcard(topic_filter):
            self.open_ended = True
        else:
            begin(planned.name, made.feed(), planned.entry.deployments)

    def _take(self, name: str, deployments: Sequence[str], shown: str) -> list[str]:
        """Return the deployments that no other entry sends pictures of a camera of this name to."""
        with self._lock:
            free = [each for each in deployments if (name, each) not in self._taken]
            self._taken |= {(name, each) for each in free}
        for each in deployments:
            if each not in free:
                _log.warning(
                    "%s: %s has pictures of a camera %s already; left out", shown, each, name
                )
        return free

    def _shared(self) -> SharedBus:
        """Return the connection of all cameras that have none of their own."""
        if self._bus is None:
            client_id = f"{self._joined.site}/cameras/{uuid.uuid4().hex[:12]}"
            if self._joined.device is not None:
                client_id = self._joined.client_id(client_id)
            bus = self._stack.enter_context(connection(self._joined, client_id, retry=True))
            self._bus = SharedBus(bus)
        return self._bus

    def _own(self, joined: Joined, name: str) -> SharedBus:
        client_id = f"{joined.site}/camera/{name}"
        return SharedBus(self._stack.enter_context(connection(joined, client_id, retry=True)))


def _named(planned: list[Planned]) -> Iterator[tuple[str, str]]:
    """Yield each camera that has a name, with each of its deployments."""
    for each in planned:
        if each.name:  # where wildcards name several there is none
            yield from ((each.name, deployment) for deployment in each.entry.deployments)
