"""Two fog nodes with one id: who starts the second is told, and the first never notices."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from broker.bus.mqtt import MqttBus
from broker.bus.seam import Message
from broker.ending import Stop
from broker.engine.running import RunningBroker
from broker.messages import OFFLINE, ONLINE
from broker.topics import NODE_BEAT, NODE_STATE
from fog_node import namesake
from fog_node.namesake import ECHO_S, LISTEN_S, SETTLE_S, Lookout, is_running
from tests.broker.processes import Process, ended, line, started

NODE = "pi-hall"
NODE_COMMAND = "from fog_node.entry import fog_node; fog_node()"


@pytest.fixture
def lookout() -> Lookout:
    return Lookout("home", NODE, b"token", now=10.0)


def hear(lookout: Lookout, topic: str, payload: bytes, now: float) -> None:
    lookout.hear(Message(topic, payload), now)


def test_where_nothing_is_retained_nobody_waits(lookout: Lookout) -> None:
    assert lookout.until == 10 + ECHO_S
    hear(lookout, lookout.echo, b"of a namesake", 10.5)
    assert lookout.until == 10 + ECHO_S
    hear(lookout, lookout.echo, b"token", 11.0)
    assert lookout.until == 11 + SETTLE_S
    assert not lookout.alive


def test_one_that_left_or_died_with_a_will_is_not_waited_for(lookout: Lookout) -> None:
    hear(lookout, lookout.state, OFFLINE, 11.0)
    assert (lookout.until, lookout.alive) == (11.0, False)


def test_one_that_is_online_is_listened_for(lookout: Lookout) -> None:
    hear(lookout, lookout.state, ONLINE, 11.0)
    hear(lookout, lookout.echo, b"token", 11.1)
    hear(lookout, lookout.state, ONLINE, 11.2)
    assert (lookout.until, lookout.alive) == (11 + LISTEN_S, False)
    hear(lookout, lookout.state, OFFLINE, 12.0)  # its will: it died before we came
    assert (lookout.until, lookout.alive) == (12.0, False)


def test_a_beat_is_life(lookout: Lookout) -> None:
    hear(lookout, lookout.beat, b"{}", 11.0)
    assert lookout.alive


@pytest.fixture
def bus(broker_url: str, site: str) -> Iterator[MqttBus]:
    bus = MqttBus.connect(broker_url, f"ask-{site}")
    yield bus
    bus.publish(NODE_STATE.at(site, node=NODE), b"", retain=True)
    bus.close()


def test_what_real_brokers_tell(
    bus: MqttBus, broker_url: str, site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not is_running(bus, site, NODE, Stop())
    other = MqttBus.connect(broker_url, f"other-{site}")
    other.publish(NODE_STATE.at(site, node=NODE), ONLINE, retain=True)
    other.subscribe(
        NODE_STATE.at(site, node=NODE),
        lambda _: other.publish(NODE_BEAT.at(site, node=NODE), b"{}", stream=True),
    )
    # Its beat follows its state, and so ours: whoever asks has subscribed to both by then.
    bus.publish(NODE_STATE.at(site, node=NODE), ONLINE, retain=True)
    assert is_running(bus, site, NODE, Stop())
    other.close()
    monkeypatch.setattr(namesake, "LISTEN_S", 0.1)
    # On a connection of its own: the other's last beat may still be on the way to the first.
    later = MqttBus.connect(broker_url, f"later-{site}")
    assert not is_running(later, site, NODE, Stop())
    later.close()
    told = Stop()
    told.tell()
    assert not is_running(bus, site, NODE, told)


def node(broker: RunningBroker, site: str, folder: Path) -> tuple[str, ...]:
    return (
        "-c", NODE_COMMAND, "run", "--id", NODE, "--broker", broker.url, "--site", site,
        "--state-dir", str(folder), "--threads", "1",
    )  # fmt: skip


def ready(process: Process) -> bool:
    return line(process).startswith(f"fog-node {NODE} ready: ")


def test_the_second_is_refused_the_first_goes_on_and_a_dead_one_keeps_nobody_out(
    mosquitto: RunningBroker, site: str, tmp_path: Path
) -> None:
    with started(*node(mosquitto, site, tmp_path / "first")) as first:
        assert ready(first)
        with started(*node(mosquitto, site, tmp_path / "second")) as second:
            code, out, complaints = ended(second)
        assert (code, out) == (2, "")
        assert complaints == (
            "error: another fog-node with the id pi-hall is running at this broker; "
            "choose another --id or stop that one\n"
        )
        os.kill(first.pid, signal.SIGKILL)
        code, _, complaints = ended(first)
        assert (code, complaints) == (-signal.SIGKILL, "")  # it never lost its connection
    with started(*node(mosquitto, site, tmp_path / "first")) as again:
        assert ready(again)
        again.send_signal(signal.SIGTERM)
        assert ended(again) == (0, "", "")
