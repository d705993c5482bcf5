"""What a fog node finds out about itself."""

import numpy as np
import pytest

from broker.bus import Handler, Message
from broker.memory_bus import MemoryBroker
from broker.mqtt_bus import MqttBus
from fog_node import measure
from fog_node.measure import hardware, macs_per_s, measure_links

TOPIC = "fog/v1/home/node/pi/echo"


class Deaf:
    """A bus whose messages are lost."""

    connected, dropped = True, 0

    def subscribe(self, topic_filter: str, handler: Handler) -> None: ...

    def unsubscribe(self, topic_filter: str) -> None: ...

    def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, stream: bool = False
    ) -> None: ...

    def on_connection(self, listener: object) -> None: ...

    def close(self) -> None: ...


def test_the_hardware_has_one_name_for_all_of_its_kind() -> None:
    assert hardware() == hardware()
    assert "\n" not in hardware()


def test_the_speed_is_a_number() -> None:
    assert np.isfinite(macs_per_s())
    assert macs_per_s() > 0


def test_the_link_is_measured_by_echoes_and_nothing_is_left_behind() -> None:
    with MemoryBroker() as broker:
        bus = broker.bus("pi")
        links = measure_links(bus, TOPIC)
        heard: list[Message] = []
        broker.bus("other").subscribe("#", heard.append)
        broker.settle()
        assert not bus._router.filters
        assert not heard
    assert links.latency_s > 0
    assert links.uplink_bytes_per_s == links.downlink_bytes_per_s > 0


def test_the_link_is_measured_over_a_real_broker(broker_url: str, site: str) -> None:
    bus = MqttBus.connect(broker_url, f"pi-{site}")
    try:
        links = measure_links(bus, f"fog/v1/{site}/node/pi/echo")
    finally:
        bus.close()
    assert 0 < links.latency_s < 2.0
    assert np.isfinite(links.uplink_bytes_per_s)


def test_a_link_that_carries_nothing_is_as_slow_as_we_were_patient(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(measure, "_ECHO_PATIENCE_S", 0.001)
    assert measure_links(Deaf(), TOPIC).latency_s == 0.0005
