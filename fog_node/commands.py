"""The commands ``fog-node`` and ``fog-camera``."""

import uuid
from pathlib import Path
from typing import Annotated, Any, Final

import psutil
import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from broker.access.joining import Joined
from broker.bus.mqtt import MqttBus
from broker.bus.seam import Will
from broker.command_line import (
    MOST_SECONDS,
    Json,
    application,
    check_ids,
    error_console,
    not_nan,
    refuse,
    say,
    say_json,
    start_log,
    state_dir,
    wait_connected,
)
from broker.ending import Stop, stopped_by_signals
from broker.join_options import connection, joins, own_id
from broker.messages import OFFLINE, NodeInfo
from broker.topics import NODE_STATE
from fog_node.camera import Camera, CameraSettings, NotServedError
from fog_node.namesake import is_running
from fog_node.node import FogNode, NodeSettings
from fog_node.source import Source, SourceError, open_source
from fog_node.stream import CameraStream, Delivery

_CORES: Final = psutil.cpu_count() or 1
_MOST_THREADS: Final = max(64, _CORES)
"""More threads than cores only slow a partition down, and a million keep a device from ending."""

_MOST_MEMORY_MB: Final = 1_000_000_000
_MOST_FRAMES: Final = 10**15
"""A frame's id, which begins at the milliseconds of the clock, is to fit into 63 bits."""

node_app = application("A device near the cameras that runs its part of the network.")
camera_app = application("A camera that publishes pictures and hears the answers.")


@node_app.callback()
@camera_app.callback()
def _group() -> None:
    pass


@node_app.command("run")
@joins("node")
def run_node(
    joined: Joined,
    node: Annotated[
        str | None,
        typer.Option("--id", help="This device's name, for example pi-hall; --join brings it."),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--state-dir", help="Where fetched partitions are kept over restarts."),
    ] = None,
    threads: Annotated[
        int,
        typer.Option(
            min=1, max=_MOST_THREADS, help="Threads for one partition; default: all cores."
        ),
    ] = _CORES,
    memory_mb: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=_MOST_MEMORY_MB,
            help="What partitions may take together; default: what is free now.",
        ),
    ] = None,
) -> None:
    """Join the fog and run what the coordinator assigns, until stopped.

    A missing broker is waited for, and so is one that refuses us. Two nodes need two ids.

    Example: fog-node run --join pi-hall.join
    """
    start_log(service=True)
    node, site = own_id(joined, node), joined.site
    folder = state_dir(folder, node)
    memory = memory_mb * 1_000_000 if memory_mb else psutil.virtual_memory().available
    will = Will(NODE_STATE.at(site, node=node), OFFLINE)

    trust = (
        "open: runs whatever the coordinator assigns"
        if joined.operator_key is None
        else "runs only what is signed by the operator"
    )

    def introduce(info: NodeInfo) -> None:
        say(
            f"fog-node {node} ready: {info.cores} cores, {memory / 1e6:.0f} MB, "
            f"broker {info.links.latency_s * 1000:.2f} ms away; {trust}"
        )

    with stopped_by_signals() as stop:
        _refuse_namesake(joined, node, stop)
        if stop.told:
            return
        with connection(joined, f"{site}/node/{node}", will=will, retry=True) as bus:
            if not wait_connected(bus, stop=stop):
                return
            try:
                settings = NodeSettings(node, site, folder, threads, memory, joined.operator_key)
                fog_node = FogNode(settings, bus)
                stop.calls(fog_node.stop)
                reason = fog_node.run(introduce)
            except OSError as error:
                refuse(f"--state-dir {folder}: {error.strerror}")
        if reason:
            refuse(reason)


def _refuse_namesake(joined: Joined, node: str, stop: Stop) -> None:
    """Leave the id to the fog node that has it: who starts a second one is told, not who runs."""
    site = joined.site
    client_id, asking = joined.asking(f"{site}/ask/{node}/{uuid.uuid4().hex[:12]}")
    with connection(asking, client_id, retry=True) as bus:
        if wait_connected(bus, stop=stop) and is_running(bus, site, node, stop):
            refuse(
                f"another fog-node with the id {node} is running at this broker; "
                "choose another --id or stop that one"
            )


@camera_app.command("stream")
@joins("camera")
def stream(
    joined: Joined,
    deployment: Annotated[str, typer.Option(help="Whose answers are wanted.")],
    source: Annotated[
        str,
        typer.Option(
            envvar="FOGWEAVE_SOURCE",
            help="mnist, fashion, a folder, a picture, webcam:0 or rtsp://…; "
            "one with a password is better given by the variable.",
        ),
    ],
    camera: Annotated[
        str | None,
        typer.Option("--id", help="This camera's name, for example door; --join brings it."),
    ] = None,
    fps: Annotated[
        float, typer.Option(min=0.01, max=1000, callback=not_nan, help="Frames a second.")
    ] = 10.0,
    count: Annotated[
        int | None,
        typer.Option(min=1, max=_MOST_FRAMES, help="Stop after so many; default: the source once."),
    ] = None,
    offset: Annotated[
        int, typer.Option(min=0, max=_MOST_FRAMES, help="Begin at this picture.")
    ] = 0,
    delivery: Annotated[
        Delivery,
        typer.Option(help="live: the newest win. reliable: every frame is answered."),
    ] = "live",
    wait: Annotated[
        float,
        typer.Option(
            min=0.1,
            max=MOST_SECONDS,
            callback=not_nan,
            help="Seconds to wait for the broker, for a deployment, and for answers: "
            "then reliable gives up, live goes on.",
        ),
    ] = 30.0,
    log: Annotated[
        Path | None, typer.Option(help="Write one JSON line per answer to this file.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Publish pictures, hear the answers, and say how many came, how right and how soon.

    A missing broker is waited for.

    Example: fog-camera stream --deployment digits --join door.join --source mnist
    """
    start_log(service=False)
    check_ids(deployment=deployment)
    camera, site = own_id(joined, camera), joined.site
    settings = CameraSettings(deployment, camera, site, fps, delivery, wait)
    try:
        opened = open_source(source, offset)
        with connection(joined, f"{site}/camera/{camera}", retry=True) as bus:
            if not wait_connected(bus, seconds=wait):
                refuse(f"{bus.trouble}; waited {wait:g} s")
            summary = _stream(settings, bus, opened, count=count, log=log, quiet=as_json)
    except (NotServedError, SourceError) as error:
        refuse(error)
    except OSError as error:
        refuse(f"--log {log}: {error.strerror}")
    if as_json:
        say_json(summary)
    else:
        _tell(summary)
    unanswered = summary["answered"] < (summary["sent"] if delivery == "reliable" else 1)
    if summary["gave_up"] or (summary["sent"] and unanswered):
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
    try:
        camera = Camera(settings, bus, file)
        active = camera.wait_active()
        count = source.length if count is None else count
        bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed} answered"),
            TimeRemainingColumn(),
            console=error_console,
            disable=quiet or not error_console.is_terminal,
        )
        with stopped_by_signals(late_code=1) as stop, bar:
            row = bar.add_task(settings.camera, total=count)

            def show(stream: CameraStream) -> None:
                bar.update(row, completed=stream.counters.answered)

            summary = camera.run(
                source, active, count=count, progress=show, stopped=lambda: stop.told
            )
            return {**summary, "skipped": source.skipped}
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
    if summary["superseded"]:
        parts.append(f"{summary['superseded']} not sent, newer ones took their place")
    if summary["skipped"]:
        parts.append(f"{summary['skipped']} pictures that could not be read")
    if summary["accuracy"] is not None:
        parts.append(f"{summary['accuracy']:.1%} right")
    if latency is not None:
        parts.append(f"latency p50 {latency['p50']:.1f} ms, p95 {latency['p95']:.1f} ms")
    say(f"{summary['camera']}: " + ", ".join(parts))
