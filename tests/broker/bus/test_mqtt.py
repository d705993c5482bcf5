"""What only a bus on a network can get wrong."""

import logging
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from broker.bus import connection, mqtt
from broker.bus.client_state import ClientState
from broker.bus.connection import Connection
from broker.bus.mqtt import MqttBus
from broker.bus.seam import BrokerUnreachableError, Bus, Will
from broker.engine.address import free_port
from broker.engine.mosquitto import default_settings
from broker.engine.running import RunningBroker, running_broker
from tests.broker.bus.worlds import SECONDS, Heard, Relay, settle


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def await_connection(bus: Bus) -> None:
    connected = threading.Event()
    bus.on_connection(lambda now: connected.set() if now else None)
    assert connected.wait(SECONDS)


def test_no_broker() -> None:
    port = free_port("127.0.0.1", 0)
    with pytest.raises(BrokerUnreachableError) as caught:
        MqttBus.connect(f"mqtt://me@127.0.0.1:{port}", "a")
    assert str(caught.value) == f"no broker at mqtt://127.0.0.1:{port} (Connection refused)"


def test_a_broker_that_never_answers(silent_port: int) -> None:
    begun = time.monotonic()
    with pytest.raises(BrokerUnreachableError, match="does not answer as an MQTT broker"):
        MqttBus.connect(f"mqtt://127.0.0.1:{silent_port}", "a", timeout=0.2)
    assert time.monotonic() - begun < SECONDS


def test_two_with_one_id_are_told_what_it_may_be(mosquitto: RunningBroker) -> None:
    said, told = [], threading.Event()

    class Listens(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())
            if "again and again: does another run as twin?" in said[-1]:
                told.set()

    handler = Listens()
    mqtt.logger.addHandler(handler)
    one, other = MqttBus(mosquitto.url, "twin"), MqttBus(mosquitto.url, "twin")
    try:
        assert told.wait(SECONDS), said
        assert "again and again" not in said[0]  # a broker that ends a connection once restarts
    finally:
        mqtt.logger.removeHandler(handler)
        one.close()
        other.close()


@pytest.mark.parametrize("url", ["", "localhost", "http://localhost", "mqtt://", "mqtt://h:x"])
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(ValueError, match="is not a broker address"):
        MqttBus(url, "a")


def test_waits_for_the_broker_and_says_so_once(
    site: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, heard = free_port("127.0.0.1", 0), Heard()
    failures = threading.Semaphore(0)

    handler = logging.Handler()
    monkeypatch.setattr(handler, "emit", lambda _: failures.release())
    logging.getLogger("broker.bus.mqtt").addHandler(handler)
    with caplog.at_level(logging.WARNING):
        bus = MqttBus.connect(f"mqtt://127.0.0.1:{port}", f"{site}-a", retry=True)
        bus.subscribe(f"{site}/t", heard)
        bus.publish(f"{site}/t", b"early")
        assert failures.acquire(timeout=SECONDS)
        assert not bus.connected
        with running_broker("auto", port=port):
            heard.until(b"early")
        bus.close()
    logging.getLogger("broker.bus.mqtt").removeHandler(handler)
    refused = [text for text in caplog.messages if text.startswith("no broker")]
    assert refused == [
        f"no broker at mqtt://127.0.0.1:{port} (Connection refused); trying again until it answers"
    ]


def test_mqtt_5_first_and_3_1_1_when_refused(
    mosquitto: RunningBroker,
    embedded: RunningBroker,
    site: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[bool] = []

    class Watched(Connection):
        def __init__(self, state: ClientState, *, mqtt_5: bool) -> None:
            asked.append(mqtt_5)
            super().__init__(state, mqtt_5=mqtt_5)

    monkeypatch.setattr(mqtt, "Connection", Watched)
    will = Will(f"{site}/state", b"offline")
    for url in (mosquitto.url, embedded.url):
        begun = time.monotonic()
        bus = MqttBus.connect(url, f"{site}-a", will=will)
        settle(bus, site)
        bus.close()
        # The embedded broker says no at once, though amqtt alone would hang on the will of MQTT 5.
        assert time.monotonic() - begun < 2
    assert asked == [True, True, False]


def test_a_closed_connection_without_a_word_is_a_refusal(site: str) -> None:
    """Some brokers of 3.1.1 are confused by MQTT 5 and just close the connection."""
    levels: list[int] = []
    seen = threading.Event()

    def serve(listener: socket.socket) -> None:
        for _ in range(2):
            connection, _ = listener.accept()
            with connection:
                packet = connection.recv(1024)
                levels.append(packet[packet.index(b"MQTT") + 4])
        seen.set()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        bus = MqttBus(f"mqtt://127.0.0.1:{listener.getsockname()[1]}", site, announce=False)
        assert seen.wait(SECONDS)
        bus.close()
    assert levels == [5, 4]


def test_a_connection_that_dies_silently_is_noticed(
    mosquitto: RunningBroker, site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "KEEPALIVE_SECONDS", 1)
    relay, lost = Relay(mosquitto.url), threading.Event()
    bus = MqttBus(relay.url, f"{site}-a")
    await_connection(bus)
    bus.on_connection(lambda now: None if now else lost.set())
    relay.frozen = True
    assert lost.wait(SECONDS)
    bus.close()
    relay.close()


# Messages may fall into a rhythm that escapes the delay, for one window or for a while, but not always.
WINDOWS = (3, 4, 5, 6)
TRIES = 4 * WINDOWS


def rate(url: str, site: str, window: int) -> float:
    """Return messages per second of 1 KB with ``window`` of them in flight.

    Linux acknowledges at once while a connection is young, so the first hundred do not count.
    """
    young, messages = 100, 150
    sender, receiver = MqttBus.connect(url, f"{site}-s"), MqttBus.connect(url, f"{site}-r")
    free = threading.Semaphore(window)
    receiver.subscribe(f"{site}/t", lambda _: free.release())
    settle(receiver, site)
    begun = 0.0
    for number in range(young + messages):
        if number == young:
            begun = time.perf_counter()
        assert free.acquire(timeout=SECONDS)
        sender.publish(f"{site}/t", bytes(1024), stream=True)
    for _ in range(window):
        assert free.acquire(timeout=SECONDS)
    taken = time.perf_counter() - begun
    sender.close()
    receiver.close()
    return messages / taken


def test_tcp_nodelay_is_set_on_both_sides(
    mosquitto: RunningBroker,
    site: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Ours is to be several times what it is without either setting (measured: 30 to 100 times)."""
    conf = tmp_path_factory.mktemp("conf") / "mosquitto.conf"
    ours = default_settings().read_text("utf-8")
    assert "set_tcp_nodelay true" in ours
    conf.write_text(ours.replace("set_tcp_nodelay true", "set_tcp_nodelay false"), "utf-8")
    with_both = max(rate(mosquitto.url, site, window) for window in WINDOWS)

    def is_slow(url: str) -> bool:
        return any(5 * rate(url, site, window) < with_both for window in TRIES)

    with running_broker("mosquitto", conf=conf) as slow:
        assert is_slow(slow.url)
    monkeypatch.setattr(connection, "_set_nodelay", lambda *_: None)
    assert is_slow(mosquitto.url)
