"""The command ``fog-camera``."""

from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from broker.access.joining import Joined
from broker.bus.mqtt import MqttBus
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
    wait_connected,
)
from broker.ending import stopped_by_signals
from broker.files.outputs import check_output_file
from broker.files.text import FileError
from broker.join_options import connection, joins, own_id
from fog_node.camera.camera import Camera, CameraSettings, NotServedError
from fog_node.camera.stream import CameraStream, Delivery
from fog_node.sources.opening import open_source
from fog_node.sources.source import Source, SourceError

_MOST_FRAMES: Final = 10**15
"""A frame's id, which begins at the milliseconds of the clock, is to fit into 63 bits."""

camera_app = application("A camera that publishes pictures and hears the answers.")


@camera_app.callback()
def _group() -> None:
    pass


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
        if log is not None:
            check_output_file("--log", log)
        opened = open_source(source, offset)
        with connection(joined, f"{site}/camera/{camera}", retry=True) as bus:
            if not wait_connected(bus, seconds=wait):
                refuse(f"{bus.trouble}; waited {wait:g} s")
            summary = _stream(settings, bus, opened, count=count, log=log, quiet=as_json)
    except (FileError, NotServedError, SourceError) as error:
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
