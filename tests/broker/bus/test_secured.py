"""TLS, users and rights on a real broker, and the one line for each way in which they fail."""

import json
import logging
import ssl
import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from broker.access.credentials import Credentials
from broker.bus import refusal
from broker.bus.inbox import Inbox
from broker.bus.mqtt import MqttBus
from broker.bus.seam import BrokerRefusedError, BusError, NotAllowedError, TakenOverError
from broker.bus.url import BrokerUrl
from broker.engine.running import RunningBroker
from tests.broker.bus.worlds import SECONDS, Heard, settle
from tests.broker.secured_broker import PASSWORD, SITE, SecuredBroker

HOME = f"fog/v2/{SITE}"


def refused(url: str, credentials: Credentials, client_id: str = "someone") -> str:
    """Return why a broker and we do not come together."""
    with pytest.raises(BrokerRefusedError) as caught:
        MqttBus.connect(url, client_id, credentials=credentials)
    said = str(caught.value)
    assert said.startswith(f"refused by {url}: ")
    assert "\n" not in said
    assert PASSWORD not in said
    return said


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_user_of_an_encrypted_broker(secured: SecuredBroker, host: str) -> None:
    url, anna = secured.url(host=host), secured.credentials("anna")
    bus = MqttBus.connect(url, f"{host}-anna", credentials=anna)
    settle(bus, HOME)
    assert bus.refused == 0
    bus.close()


def test_a_user_may_stand_in_the_address(secured: SecuredBroker) -> None:
    url = secured.url().replace("//", "//anna@")
    MqttBus.connect(
        url, "in-the-address", credentials=replace(secured.credentials("anna"), user=None)
    ).close()


@pytest.mark.parametrize(
    ("listener", "words"),
    [
        ("expired", "has expired"),
        ("early", "is not yet valid"),
        ("elsewhere", "is not for 127.0.0.1; use a name or an address that stands in it"),
        ("foreign", "is not of the authority that we trust"),
        ("asking", "wants a certificate of ours (certificate required); give --cert"),
        ("plain", "no TLS is spoken at port"),
    ],
)
def test_a_connection_that_is_not_to_be_trusted(
    secured: SecuredBroker, listener: str, words: str
) -> None:
    assert words in refused(secured.url(listener), secured.credentials("anna"))


def test_plain_text_to_a_port_of_tls(secured: SecuredBroker) -> None:
    url = secured.url(tls=False)
    assert f"it speaks TLS; write {secured.url()}" in refused(url, secured.credentials("anna"))


@pytest.mark.parametrize("listener", ["good", "plain"])
@pytest.mark.parametrize(
    ("user", "password", "words"),
    [
        ("anna", "wrong", "it does not let 'anna' in (Not authorized): a wrong user, password"),
        ("nobody", PASSWORD, "it does not let 'nobody' in"),
        ("node/pi", PASSWORD, "it does not let 'node/pi' in"),  # not with this client id
        (None, None, "it lets nobody in without a user (Not authorized); give --join FILE, or"),
    ],
)
def test_who_is_not_let_in(
    secured: SecuredBroker, listener: str, user: str | None, password: str | None, words: str
) -> None:
    credentials = Credentials(user, password, secured.authority.pem)
    assert words in refused(secured.url(listener, tls=listener == "good"), credentials)


def test_a_certificate_of_ours(secured: SecuredBroker) -> None:
    anna, url = secured.credentials("anna"), secured.url("asking")
    certificate, key = secured.authority.issue("anna", client=True)
    shown = replace(anna, certificate=certificate, key=key)
    MqttBus.connect(url, "shown", credentials=shown).close()
    certificate, key = secured.foreign.issue("stranger", client=True)
    assert "does not take our certificate (unknown ca)" in refused(
        url, replace(anna, certificate=certificate, key=key)
    )


def test_a_clock_before_2020_is_told_from_a_certificate_of_tomorrow() -> None:
    error = ssl.SSLCertVerificationError(1, "certificate is not yet valid")
    error.verify_code, error.verify_message = 9, "certificate is not yet valid"
    long_ago, now = datetime(1970, 1, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
    assert (
        refusal._certificate_reason(error, "pi", long_ago)
        == "its certificate cannot be checked: this machine's clock says 1970-01-01; set it"
    )
    assert "not yet valid (2026-03-01" in refusal._certificate_reason(error, "pi", now)


def test_a_port_of_http_is_no_broker(mosquitto: RunningBroker) -> None:
    assert not refusal.speaks_tls(BrokerUrl.parse(mosquitto.url))


def test_what_is_not_allowed_is_said_once_a_pattern_and_counted(
    secured: SecuredBroker, caplog: pytest.LogCaptureFixture
) -> None:
    url, pi, heard = secured.url(), secured.credentials("node/pi"), Inbox[BusError]()
    with caplog.at_level(logging.WARNING):
        bus = MqttBus.connect(url, f"{SITE}/node/pi", credentials=pi, retry=True)
        bus.on_refusal(heard.put)
        settle_own(bus)
        for other in ("a", "b"):
            bus.subscribe(f"{HOME}/node/{other}/beat", lambda _: None)
            bus.publish(f"{HOME}/node/{other}/state", b"offline", retain=True)
            bus.publish(f"{HOME}/node/{other}/beat", b"{}", stream=True)
        errors = [heard.get(SECONDS) for _ in range(6)]
        settle_own(bus)
        bus.close()
    assert bus.refused == 6
    kinds = {(e.right, e.topic) for e in errors if isinstance(e, NotAllowedError)}
    assert kinds == {
        (right, f"{HOME}/node/{other}/{end}")
        for other in ("a", "b")
        for right, end in (("read", "beat"), ("write", "state"), ("write", "beat"))
    }
    said = sorted(line.partition(" (")[0] for line in caplog.messages if "right" in line)
    assert said == [
        f"the broker refused the right to read {HOME}/node/a/beat",
        f"the broker refused the right to write {HOME}/node/a/beat",
        f"the broker refused the right to write {HOME}/node/a/state",
    ]
    late: list[BusError] = []
    bus.on_refusal(late.append)
    assert late == errors


def settle_own(bus: MqttBus) -> None:
    """Wait until what a node has sent and asked for is answered."""
    heard = Heard()
    bus.subscribe(f"{HOME}/node/pi/echo", heard)
    bus.publish(f"{HOME}/node/pi/echo", b"echo")
    heard.until(b"echo")


def test_a_revoked_device_is_out_at_once_and_says_so_once(
    secured: SecuredBroker, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals = threading.Semaphore(0)

    class Hasty:
        def __init__(self, *_: object) -> None: ...

        def reset(self) -> None: ...

        def delay(self) -> float:
            refusals.release()
            return 0.01

    monkeypatch.setattr("broker.bus.mqtt.Backoff", Hasty)
    admin = MqttBus.connect(secured.url(), "admin", credentials=secured.credentials("admin"))
    with caplog.at_level(logging.WARNING):
        stolen = secured.credentials("camera/stolen")
        bus = MqttBus(secured.url(), f"{SITE}/camera/stolen", credentials=stolen)
        changes = Inbox[bool]()
        bus.on_connection(changes.put)
        assert changes.get(SECONDS) is True
        command = {"commands": [{"command": "disableClient", "username": "camera/stolen"}]}
        admin.publish("$CONTROL/dynamic-security/v1", json.dumps(command).encode())
        assert changes.get(SECONDS) is False
        for _ in range(4):
            assert refusals.acquire(timeout=SECONDS)
        bus.close()
    admin.close()
    (said,) = (line for line in caplog.messages if secured.url() in line)
    assert "it cut us off: Administrative action; revoked, perhaps" in said
    assert "it does not let 'camera/stolen' in" in str(bus.trouble)


def test_of_two_commands_of_one_operator_the_first_ends_and_stays_ended(
    secured: SecuredBroker,
) -> None:
    url, anna, own = secured.url(), secured.credentials("operator/anna"), f"{SITE}/operator/anna"
    first = MqttBus.connect(url, own, credentials=anna, yields=True)
    heard = Inbox[BusError]()
    first.on_refusal(heard.put)
    second = MqttBus.connect(url, own, credentials=anna, yields=True)
    error = heard.get(SECONDS)
    assert isinstance(error, TakenOverError)
    assert "run one at a time" in str(error)
    lost = Inbox[bool]()
    second.on_connection(lost.put)
    assert lost.get(SECONDS) is True
    assert lost.get(0.5) is None  # the first one does not come back
    assert not first.connected
    first.close()
    second.close()
