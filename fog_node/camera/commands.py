"""The commands of ``fog-camera``."""

import logging
from pathlib import Path
from typing import Annotated, Final

import typer

from broker.access.joining import Joined
from broker.command_line import (
    MOST_SECONDS,
    Json,
    application,
    check_ids,
    not_nan,
    refuse,
    start_log,
)
from broker.join_options import JoinedWith, joins
from fog_node.camera.motion import KEEP_ALIVE_S, Motion
from fog_node.camera.motion_option import OPTION as MOTION
from fog_node.camera.motion_option import MotionCommand
from fog_node.camera.report import Report
from fog_node.camera.run_command import run_cameras
from fog_node.camera.settings import FPS, Pace
from fog_node.camera.source_broker import PASSWORD
from fog_node.camera.stream import Delivery
from fog_node.camera.stream_command import Given, stream_pictures

MOST_FRAMES: Final = 10**15
"""A frame's id, which begins at the milliseconds of the clock, is to fit into 63 bits."""
_SOURCE: Final = "Where the pictures come from"

Log = Annotated[Path | None, typer.Option(help="Write one JSON line per answer to this file.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print no answers, only what they came to.")]

camera_app = application("A camera that publishes pictures and hears the answers.")


@camera_app.callback()
def _group() -> None:
    pass


@camera_app.command("stream", cls=MotionCommand)
@joins("camera")
def stream(
    joined: Joined,
    deployment: Annotated[
        list[str], typer.Option(help="Whose answers are wanted; given twice, both are fed.")
    ],
    source: Annotated[
        str,
        typer.Option(
            envvar="FOGWEAVE_SOURCE",
            help="mnist, fashion, a folder, a picture, webcam:0, rtsp://…, http://… or "
            "mqtt:TOPIC-FILTER; one with a password is better given by the variable.",
        ),
    ],
    camera: Annotated[
        str | None,
        typer.Option(
            "--id",
            help="This camera's name, for example door; --join brings it, and so do the "
            "wildcards of a topic filter.",
        ),
    ] = None,
    fps: Annotated[
        float | None,
        typer.Option(min=0.01, max=1000, callback=not_nan, help="Frames a second; default: 10."),
    ] = None,
    every: Annotated[
        float | None,
        typer.Option(
            min=0.001, max=MOST_SECONDS, callback=not_nan, help="Seconds between two frames."
        ),
    ] = None,
    motion: Annotated[
        float | None,
        typer.Option(
            MOTION,
            min=0.0,
            max=1.0,
            callback=not_nan,
            help="Send a picture only if so much of it changed, 0 to 1; without a number 0.01.",
        ),
    ] = None,
    keep_alive: Annotated[
        float,
        typer.Option(
            min=0.1, max=MOST_SECONDS, callback=not_nan, help="With --motion: one anyway, so often."
        ),
    ] = KEEP_ALIVE_S,
    count: Annotated[
        int | None,
        typer.Option(min=1, max=MOST_FRAMES, help="Stop after so many; default: the source once."),
    ] = None,
    offset: Annotated[int, typer.Option(min=0, max=MOST_FRAMES, help="Begin at this picture.")] = 0,
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
            help="Seconds to wait for the broker, for a deployment, for the first picture and for "
            "answers: then reliable gives up, live goes on.",
        ),
    ] = 30.0,
    log: Log = None,
    source_broker: Annotated[
        str | None,
        typer.Option(
            help="Of mqtt:…, if it is another broker: mqtt://USER@HOST:PORT.",
            rich_help_panel=_SOURCE,
        ),
    ] = None,
    source_password_file: Annotated[
        Path | None,
        typer.Option(
            help=f"Holds the password for it; or set {PASSWORD}.", rich_help_panel=_SOURCE
        ),
    ] = None,
    source_ca: Annotated[
        Path | None,
        typer.Option(
            help="The authority (PEM) of https://…, or of --source-broker mqtts://…",
            rich_help_panel=_SOURCE,
        ),
    ] = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Publish pictures, print the answers, and say how many came, how right and how soon.

    A missing broker is waited for, and so is a camera that fails.

    Example: fog-camera stream --deployment digits --join door.join --source mnist
    """
    start_log(service=False)
    logging.getLogger("fog-camera").setLevel(logging.INFO)  # how the source fares
    for name in deployment:
        check_ids(deployment=name)
    if len(set(deployment)) < len(deployment):
        refuse(f"--deployment: {deployment[0]} is given twice")
    if fps is not None and every is not None:
        refuse("--fps and --every are two ways to say one thing; leave one of them out")
    given = Given(
        deployments=tuple(deployment),
        source=source,
        camera=camera,
        pace=Pace(
            fps=1.0 / every if every is not None else FPS if fps is None else fps,
            motion=None if motion is None else Motion(motion, keep_alive),
            delivery=delivery,
            count=count,
        ),
        offset=offset,
        wait_s=wait,
        source_broker=source_broker,
        source_password_file=source_password_file,
        source_ca=source_ca,
    )
    with Report(log, quiet=quiet, as_json=as_json, several=len(deployment) > 1) as report:
        stream_pictures(joined, given, report)


@camera_app.command("run")
@joins("camera", filled=True)
def run(
    joined: JoinedWith,
    cameras: Annotated[
        Path, typer.Argument(help="The cameras, see docs/cameras.md.", show_default=False)
    ],
    log: Log = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Run several cameras until stopped; what ends one of them ends no other.

    A missing broker, deployment or camera is waited for.

    Example: fog-camera run cameras.yaml
    """
    start_log(service=True)
    with Report(log, quiet=quiet, as_json=as_json, several=True) as report:
        run_cameras(cameras, joined, report)
