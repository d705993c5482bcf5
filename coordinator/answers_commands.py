"""``fog-coordinator answers``, and what ``serve`` is told of the states that answers make."""

import os
import sys
import time
import uuid
from typing import Annotated, Final

import typer

from broker.access.joining import Joined
from broker.bus.inbox import Inbox
from broker.bus.mqtt import MqttBus
from broker.bus.seam import BusError, Message
from broker.command_line import check_ids, not_nan, refuse, say, say_json, warn
from broker.ending import Stop, stopped_by_signals
from broker.join_options import connection, joins
from broker.topics import HOME_ASSISTANT
from coordinator.answers.following import Following, Heard, NothingServesError
from coordinator.answers.lines import as_json as object_of
from coordinator.answers.lines import line
from coordinator.answers.rules import MOST_EQUAL, MOST_SILENT_S, Rules

_ANSWER_S: Final = 8.0
_LATE_S: Final = 0.5
"""After its echo a broker may still send what is retained."""
_MOST_WAITING: Final = 1000

EqualAnswers = Annotated[
    int,
    typer.Option(
        "--equal-answers", min=1, max=MOST_EQUAL, help="So many in a row make a camera's state."
    ),
]
SilentAfter = Annotated[
    float,
    typer.Option(
        "--silent-after",
        min=1,
        max=MOST_SILENT_S,
        callback=not_nan,
        help="Seconds without an answer until a camera is said to be silent.",
    ),
]
HomeAssistant = Annotated[
    bool,
    typer.Option("--home-assistant", help="Have a Home Assistant at the broker find the cameras."),
]
Prefix = Annotated[
    str | None,
    typer.Option(
        "--home-assistant-prefix",
        help="Where it looks for devices, if it was told another place.",
        show_default=HOME_ASSISTANT,
    ),
]


def rules_of(
    joined: Joined, equal: int, silent_s: float, *, shows: bool, prefix: str | None
) -> Rules:
    """Return what the options of ``serve`` come to; what contradicts itself is refused."""
    if prefix is not None and not shows:
        refuse("--home-assistant-prefix is for --home-assistant, which is missing")
    file = joined.file
    if shows and file is not None and file.role != "ha-coordinator":
        refuse(
            f"--home-assistant: the join file is of {file.role} {file.id}, who sees no pictures; "
            "one who may: fog-broker enrol ha-coordinator ID --dir DIR"
        )
    if file is not None and prefix not in (None, HOME_ASSISTANT):
        refuse(
            f"--home-assistant-prefix {prefix}: in a closed fog the rights are those to "
            f"{HOME_ASSISTANT}/; leave it out, and have Home Assistant's bridge rename the topics"
        )
    try:
        return Rules(equal, silent_s, (prefix or HOME_ASSISTANT) if shows else "")
    except ValueError:
        refuse(
            f"--home-assistant-prefix: {prefix!r} is no prefix of topics; "
            "use up to three levels of letters, digits, '_' and '-'"
        )


@joins("operator", "reader")
def answers(
    joined: Joined,
    name: Annotated[str, typer.Argument(help="The deployment.")],
    camera: Annotated[str | None, typer.Option(help="Only those of this camera.")] = None,
    count: Annotated[
        int | None, typer.Option(min=1, max=10**15, help="End after so many; default: never.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object a line, for each answer.")
    ] = False,
) -> None:
    """Follow a deployment's answers, of all cameras, as they come; Ctrl-C ends it.

    A line has the time, the camera, the label and how sure it is, the branches that were missing, what
    the camera calls the picture, and how old the frame was.

    Example: fog-coordinator answers digits --join fog/reader.join
    """
    check_ids(name=name, **({} if camera is None else {"camera": camera}))
    client_id = joined.client_id(f"answers-{uuid.uuid4().hex[:12]}")
    own = joined.device or f"client-{uuid.uuid4().hex[:12]}"
    following = Following(joined.site, name, camera or "", own)
    with stopped_by_signals() as stop, connection(joined, client_id) as bus:
        try:
            _follow(bus, following, stop, count, as_json=as_json)
        except NothingServesError as error:
            refuse(error, 1)
        except BrokenPipeError:  # whoever read has read enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if following.bad_messages:
        warn(f"{following.bad_messages} messages could not be read")


def _follow(
    bus: MqttBus, following: Following, stop: Stop, count: int | None, *, as_json: bool
) -> None:
    """Show answers until told to stop, or so many were shown.

    Raises:
        NothingServesError: there are none to follow.
    """
    inbox: Inbox[Message | BusError | None] = Inbox(stream_limit=_MOST_WAITING)
    bus.on_refusal(inbox.put)
    stop.calls(lambda: inbox.put(None))
    for topic in following.topics:
        bus.subscribe(topic, inbox.put)
    bus.subscribe(following.results, inbox.offer)
    bus.publish(following.echo, b"")
    settles_at: float | None = time.monotonic() + _ANSWER_S
    shown = 0
    while not stop.told and shown != count:
        item = inbox.get(None if settles_at is None else max(0.0, settles_at - time.monotonic()))
        match item:
            case BusError():
                refuse(item, 1)
            case Message(topic=following.echo) if settles_at is not None:
                settles_at = min(settles_at, time.monotonic() + _LATE_S)
            case Message():
                heard = following.hear(item)
                if heard is not None:
                    _show(heard, as_json=as_json)
                    shown += 1
        if settles_at is not None and time.monotonic() >= settles_at:
            settles_at = None
            following.settle()
    if inbox.dropped:
        warn(f"{inbox.dropped} answers came faster than they could be shown, and were not")


def _show(heard: Heard, *, as_json: bool) -> None:
    now = time.time()
    if as_json:
        say_json(object_of(heard, now))
    else:
        say(line(heard, now))
