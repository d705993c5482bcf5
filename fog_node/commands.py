"""The commands ``fog-node`` and ``fog-camera``."""

import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, NoReturn

import psutil
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from broker.bus import BrokerUnreachableError, Will
from broker.messages import OFFLINE
from broker.mqtt_bus import MqttBus
from broker.topics import COORDINATOR, NODE_STATE, check_id
from fog_node.camera import Camera, CameraSettings, NotServedError
from fog_node.node import FogNode, NodeSettings
from fog_node.source import Source, SourceError, open_source
from fog_node.stream import Delivery, Stream

node_app = typer.Typer(help="A device near the cameras that runs its part of the network.")
camera_app = typer.Typer(help="A camera that publishes pictures and hears the answers.")
_out, _err = Console(), Console(stderr=True)

Broker = Annotated[str, typer.Option(help="The broker's address, mqtt://HOST:PORT.")]
Site = Annotated[str, typer.Option(help="Fogs of different sites do not hear each other.")]


@node_app.callback()
@camera_app.callback()
def _group() -> None:
    pass


def _refuse(sentence: object) -> NoReturn:
    _err.print(f"error: {sentence}", style="red", highlight=False, soft_wrap=True, markup=False)
    raise typer.Exit(2)


def _ids(**names: str) -> None:
    for field, value in names.items():
        try:
            check_id(field, value)
        except ValueError as error:
            _refuse(error)


def _on_signal(stop: Callable[[], None]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stop())


def _state_home() -> Path:
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")


@node_app.command("run")
def run_node(
    node: Annotated[str, typer.Option("--id", help="This device's name, for example pi-hall.")],
    broker: Broker = "mqtt://127.0.0.1:1883",
    site: Site = "home",
    state_dir: Annotated[
        Path | None, typer.Option(help="Where fetched partitions are kept over restarts.")
    ] = None,
    threads: Annotated[
        int, typer.Option(min=1, help="Threads for one partition; default: all cores.")
    ] = psutil.cpu_count() or 1,
    memory_mb: Annotated[
        int | None,
        typer.Option(min=1, help="What partitions may take together; default: what is free now."),
    ] = None,
) -> None:
    """Join the fog and run what the coordinator assigns, until stopped.

    A missing broker is waited for. Two nodes need two ids.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    _ids(id=node, site=site)
    if node == COORDINATOR:
        _refuse(f"id: {COORDINATOR} is the coordinator's own")
    folder = state_dir or _state_home() / "fogweave" / node
    memory = memory_mb * 1_000_000 if memory_mb else psutil.virtual_memory().available
    will = Will(NODE_STATE.at(site, node=node), OFFLINE)
    connected, stopped = threading.Event(), threading.Event()
    try:
        bus = MqttBus.connect(broker, node, will=will, retry=True)
    except ValueError as error:
        _refuse(error)
    bus.on_connection(lambda there: connected.set() if there else None)

    def stop_waiting() -> None:
        stopped.set()
        connected.set()

    _on_signal(stop_waiting)
    connected.wait()
    try:
        if stopped.is_set():
            return
        fog_node = FogNode(NodeSettings(node, site, folder, threads, memory), bus)
        _on_signal(fog_node.stop)
        reason = fog_node.run(
            lambda info: _out.print(
                f"fog-node {node} ready: {info.cores} cores, {memory / 1e6:.0f} MB, "
                f"broker {info.links.latency_s * 1000:.2f} ms away",
                highlight=False,
                soft_wrap=True,
            )
        )
    except OSError as error:
        _refuse(f"--state-dir {folder}: {error.strerror}")
    finally:
        bus.close()
    if reason:
        _refuse(reason)


@camera_app.command("stream")
def stream(
    deployment: Annotated[str, typer.Option(help="Whose answers are wanted.")],
    camera: Annotated[str, typer.Option("--id", help="This camera's name, for example door.")],
    source: Annotated[
        str, typer.Option(help="mnist, fashion, a folder, a picture, webcam:0 or rtsp://…")
    ],
    broker: Broker = "mqtt://127.0.0.1:1883",
    site: Site = "home",
    fps: Annotated[float, typer.Option(min=0.01, max=1000, help="Frames a second.")] = 10.0,
    count: Annotated[
        int | None, typer.Option(min=1, help="Stop after so many; default: the source once.")
    ] = None,
    offset: Annotated[int, typer.Option(min=0, help="Begin at this picture.")] = 0,
    delivery: Annotated[
        Delivery,
        typer.Option(help="live: the newest win. reliable: every frame is answered."),
    ] = "live",
    wait: Annotated[
        float, typer.Option(min=0.1, help="Seconds to wait for a deployment and for answers.")
    ] = 30.0,
    log: Annotated[
        Path | None, typer.Option(help="Write one JSON line per answer to this file.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Publish pictures, hear the answers, and say how many came, how right and how soon."""
    _ids(deployment=deployment, id=camera, site=site)
    settings = CameraSettings(deployment, camera, site, fps, delivery, wait)
    try:
        opened = open_source(source, offset)
        bus = MqttBus.connect(broker, f"camera-{camera}")
    except (SourceError, ValueError, BrokerUnreachableError) as error:
        _refuse(error)
    try:
        summary = _stream(settings, bus, opened, count=count, log=log, quiet=as_json)
    except (NotServedError, SourceError) as error:
        _refuse(error)
    except OSError as error:
        _refuse(f"--log {log}: {error.strerror}")
    finally:
        bus.close()
    if as_json:
        sys.stdout.write(json.dumps(summary) + "\n")
    else:
        _tell(summary)
    if delivery == "reliable" and summary["answered"] < summary["sent"]:
        raise typer.Exit(1)


def _stream(
    settings: CameraSettings,
    bus: MqttBus,
    source: Source,
    *,
    count: int | None,
    log: Path | None,
    quiet: bool,
) -> dict[str, Any]:
    file = None if log is None else log.open("w", encoding="utf-8")
    stopped = threading.Event()
    try:
        camera = Camera(settings, bus, file)
        active = camera.wait_active()
        _on_signal(stopped.set)
        count = source.length if count is None else count
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed} answered"),
            TimeRemainingColumn(),
            console=_err,
            disable=quiet or not _err.is_terminal,
        ) as bar:
            row = bar.add_task(settings.camera, total=count)

            def show(stream: Stream) -> None:
                bar.update(row, completed=stream.counters.answered)

            return camera.run(source, active, count=count, progress=show, stopped=stopped.is_set)
    finally:
        if file is not None:
            file.close()


def _tell(summary: dict[str, Any]) -> None:
    latency = summary["latency_ms"]
    parts = [
        f"{summary['sent']} sent",
        f"{summary['answered']} answered",
        f"{summary['incomplete']} with a missing branch",
    ]
    if summary["lost"]:
        parts.append(f"{summary['lost']} lost")
    if summary["accuracy"] is not None:
        parts.append(f"{summary['accuracy']:.1%} right")
    if latency is not None:
        parts.append(f"latency p50 {latency['p50']:.1f} ms, p95 {latency['p95']:.1f} ms")
    _out.print(f"{summary['camera']}: " + ", ".join(parts), highlight=False, soft_wrap=True)
