"""fog-broker check: what a broker is, and whether it will do."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from broker.access.joining import PASSWORD as VARIABLE
from broker.access.rights import rights_of
from broker.bus.facts import BrokerFacts
from broker.bus.mqtt import MqttBus
from broker.checking import Checked, Tried
from broker.commands import app
from broker.engine.running import RunningBroker
from broker.topics import NODE_STATE
from tests.broker.bus.worlds import Heard, settle
from tests.broker.secured_broker import PASSWORD, SITE, SecuredBroker


def check(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(app, ["check", *arguments], env=environment)


def checked(*arguments: str, code: int = 0) -> dict[str, Any]:
    result = check("--json", *arguments)
    assert result.exit_code == code, result.stderr
    assert PASSWORD not in result.stdout
    found: dict[str, Any] = json.loads(result.stdout)
    assert bool(found["missing"]) == (code != 0)
    return found


def test_an_open_broker(mosquitto: RunningBroker) -> None:
    found = checked("--broker", mosquitto.url)
    assert found["reached"]
    assert (found["mqtt"], found["tls"], found["user"]) == ("5", None, None)
    assert found["version"] == f"mosquitto version {mosquitto.version}"
    assert found["max_packet_bytes"] == 4194304
    assert found["rights"]["refused_reads"] == found["rights"]["refused_writes"] == []
    assert found["round_trip_ms"] > 0
    assert found["anonymous"] is None


def test_a_broker_of_mqtt_3_1_1(embedded: RunningBroker) -> None:
    result = check("--broker", embedded.url)
    assert result.exit_code == 0
    assert "MQTT 3.1.1; it does not say what it is" in result.stdout
    assert "writing is not known" in result.stdout


@pytest.mark.parametrize(
    ("role", "name"),
    [("node", "pi"), ("camera", "door"), ("operator", "anna"), ("coordinator", "desk")],
)
def test_a_join_file_whose_rights_suffice(secured: SecuredBroker, role: Any, name: str) -> None:
    found = checked("--join", str(secured.join_file(role, name)))
    assert found["tls"] == "TLSv1.3"
    assert found["anonymous"] is None
    assert set(rights_of(role, name, SITE).writes) <= set(found["rights"]["writes"])


def test_rights_that_are_missing_are_named(secured: SecuredBroker) -> None:
    result = check("--join", str(secured.join_file("camera", "blind")))
    assert result.exit_code == 1
    *_, last = result.stdout.splitlines()
    assert last == f"missing: the right to write fog/v2/{SITE}/frame/+/blind"
    assert "without credentials: not let in" in result.stdout


def test_credentials_by_hand(secured: SecuredBroker) -> None:
    options = ["--broker", secured.url(), "--ca", str(secured.authority.file), "--user", "anna"]
    result = check(*options, **{VARIABLE: PASSWORD})
    assert result.exit_code == 0
    assert "rights as anna: reads 23 of 23, writes 1 of 1" in result.stdout


def test_a_broker_that_refuses_us_is_one_line(secured: SecuredBroker) -> None:
    file = str(secured.join_file("node", "pi", password="wrong"))  # noqa: S106 - on purpose
    result = check("--join", file)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "it does not let 'node/pi' in" in result.stderr
    found = checked("--join", file, code=1)
    assert not found["reached"]


def test_what_it_tries_leaves_nothing_behind(secured: SecuredBroker) -> None:
    home, state = f"fog/v2/{SITE}", NODE_STATE.at(SITE, node="pi")
    desk = MqttBus.connect(secured.url(), "desk", credentials=secured.credentials("anna"))
    heard = Heard()
    desk.subscribe(f"{home}/node/pi/+", heard)
    settle(desk, home)
    before = len(heard.messages)
    checked("--join", str(secured.join_file("node", "pi")))
    settle(desk, home)
    tried = heard.messages[before:]
    assert not any(message.retain for message in tried)
    assert {message.payload for message in tried if message.topic != state} == {b"?"}
    desk.close()


def test_what_a_fog_cannot_do_without() -> None:
    all_allowed = Tried(("a",), ("b",), (), ())
    facts = BrokerFacts("5", max_qos=0, retains=False, max_packet_bytes=65536)
    found = Checked("mqtt://h:1883", facts, None, 0.1, "me", all_allowed, all_allowed, closed=True)
    assert [sentence.split()[0] for sentence in found.missing] == [
        "QoS",
        "retained",
        "messages",
        "a",
    ]
    assert "anyone may connect" in found.missing[-1]
