"""``fog-broker check``: what a broker is, and whether it will do for us."""

import typer

from broker.access.joining import Joined
from broker.access.redaction import redacted
from broker.bus.seam import BusError
from broker.checking import Checked, Tried, check
from broker.command_line import Json, refuse, say, say_json
from broker.join_options import joins


@joins()
def check_broker(joined: Joined, as_json: Json = False) -> None:
    """Say what a broker is, whom it lets in, and whether the rights of our credentials suffice.

    It connects under the id of the join file: a device that runs with it connects again afterwards.
    """
    try:
        checked = check(joined)
    except (BusError, ValueError) as error:
        if as_json:
            say_json({"broker": joined.url, "reached": False, "missing": [redacted(str(error))]})
        refuse(error, 1)
    if as_json:
        say_json(checked.as_json())
    else:
        _tell(checked)
    if checked.missing:
        raise typer.Exit(1)


def _tell(checked: Checked) -> None:
    facts = checked.facts
    name = "it does not say what it is" if checked.version is None else redacted(checked.version)
    say(f"broker: {checked.broker}, MQTT {facts.mqtt}; {name}")
    say(
        "encryption: none; whoever is on the way reads and changes what passes"
        if facts.tls is None
        else f"encryption: {facts.tls}, certificate valid until {facts.certificate_until}"
    )
    largest = (
        "no limit told" if facts.max_packet_bytes is None else f"{facts.max_packet_bytes} bytes"
    )
    retains = "retained messages" if facts.retains else "no retained messages"
    say(f"messages: QoS {facts.max_qos} at most, {retains}, size: {largest}")
    say(f"round trip: {checked.round_trip_s * 1000:.2f} ms (median, to the acknowledgement)")
    if checked.user is not None:
        may = (
            "anyone may connect, " + _may(checked.anonymous) if checked.anonymous else "not let in"
        )
        say(f"without credentials: {may}")
    whose = "without credentials" if checked.user is None else f"as {redacted(checked.user)}"
    say(f"rights {whose}: {_may(checked.tried)}")
    if facts.mqtt != "5":
        say("a broker of MQTT 3.1.1 does not say what it refuses to take: writing is not known")
    for sentence in checked.missing:
        say(f"missing: {sentence}")


def _may(tried: Tried) -> str:
    reads, writes = len(tried.reads), len(tried.writes)
    return (
        f"reads {reads - len(tried.refused_reads)} of {reads}, "
        f"writes {writes - len(tried.refused_writes)} of {writes} topics that were tried"
    )
