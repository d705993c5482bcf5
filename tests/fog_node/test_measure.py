"""What a fog node finds out about itself."""

from types import SimpleNamespace

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.bus.memory import MemoryBroker
from broker.bus.mqtt import MqttBus
from broker.bus.seam import Handler, Message
from broker.topics import NODE_ECHO, NODE_SINK
from fog_node import measure
from fog_node.measure import hardware, macs_per_s, measure_links

ECHO, SINK = (topic.at("home", node="pi") for topic in (NODE_ECHO, NODE_SINK))


class Deaf:
    """A bus whose messages are lost."""

    connected, dropped, refused = True, 0, 0

    def renew(self) -> None: ...

    def on_refusal(self, listener: object) -> None: ...

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


def test_the_speed_is_that_of_the_convolution_it_says() -> None:
    convolution = onnx.load_model_from_string(measure._CONVOLUTION)
    onnx.checker.check_model(convolution, full_check=True)
    (node,) = (node for node in convolution.graph.node if node.op_type == "Conv")
    inferred = onnx.shape_inference.infer_shapes(convolution, data_prop=True).graph
    (y,) = ([d.dim_value for d in value.type.tensor_type.shape.dim] for value in inferred.output)
    weights = onnx.numpy_helper.to_array(convolution.graph.node[0].attribute[0].t)
    assert list(node.input) == ["x", "w"]
    assert np.prod(weights[1:]) * np.prod(y) == measure._CONVOLUTION_MACS
    assert np.isfinite(macs_per_s(1))
    assert macs_per_s(1) > 0


class Wire:
    """A bus on a made-up wire and a made-up clock: bytes up, then bytes down, each at its rate.

    The broker takes what comes by one connection in its order, and hands it on when it has it all.
    """

    connected, dropped, refused = True, 0, 0

    def renew(self) -> None: ...

    def on_refusal(self, listener: object) -> None: ...

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, up: float, down: float, way_s: float
    ) -> None:
        self.now, self.up, self.down, self.way_s = 0.0, up, down, way_s
        self.sent = 0
        self._free = 0.0
        self._arrivals: list[tuple[float, Message]] = []
        clock = SimpleNamespace(perf_counter=lambda: self.now, sleep=self._sleep)
        monkeypatch.setattr(measure, "time", clock)
        monkeypatch.setattr(measure, "Inbox", lambda **_: self)

    def _sleep(self, seconds: float) -> None:
        self.now += seconds

    def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, stream: bool = False
    ) -> None:
        assert stream
        assert not retain
        self.sent += len(payload)
        self._free = max(self._free, self.now) + len(payload) / self.up
        if topic == ECHO:
            there = self._free + len(payload) / self.down + 2 * self.way_s
            self._arrivals.append((there, Message(topic, payload)))

    def get(self, _timeout: float) -> Message | None:
        self.now, message = self._arrivals.pop(0)
        return message

    def put(self, message: Message) -> None: ...

    def subscribe(self, topic_filter: str, handler: Handler) -> None: ...

    def unsubscribe(self, topic_filter: str) -> None: ...

    def on_connection(self, listener: object) -> None: ...

    def close(self) -> None: ...


@given(st.floats(1e4, 1e9), st.floats(1e4, 1e9), st.floats(1e-5, 0.05))
@settings(max_examples=50)
def test_the_way_up_is_told_from_the_way_down(up: float, down: float, way_s: float) -> None:
    with pytest.MonkeyPatch.context() as patch:
        wire = Wire(patch, up, down, way_s)
        links = measure_links(wire, ECHO, SINK)
    # The small message has bytes too: they count as latency, as a header's do.
    assert links.latency_s == pytest.approx(way_s + 128 / up + 128 / down, rel=1e-6)
    assert links.uplink_bytes_per_s == pytest.approx(up, rel=1e-3)
    assert links.downlink_bytes_per_s == pytest.approx(down, rel=1e-3)
    assert wire.now < 2.0 + 100 * way_s + wire.sent * (1 / up + 1 / down)


def test_a_slow_link_is_not_filled_for_seconds() -> None:
    with pytest.MonkeyPatch.context() as patch:
        wire = Wire(patch, 1e6, 1e6, 1e-3)
        measure_links(wire, ECHO, SINK)
    assert wire.now < 1.5


def test_the_link_is_measured_by_echoes_and_nothing_is_left_behind() -> None:
    with MemoryBroker() as broker:
        bus = broker.bus("pi")
        links = measure_links(bus, ECHO, SINK)
        heard: list[Message] = []
        broker.bus("other").subscribe("#", heard.append)
        broker.settle()
        assert not bus._router.filters
        assert not heard
    assert links.latency_s > 0
    assert links.uplink_bytes_per_s > 0
    assert links.downlink_bytes_per_s > 0


def test_the_link_is_measured_over_a_real_broker(broker_url: str, site: str) -> None:
    bus = MqttBus.connect(broker_url, f"pi-{site}")
    try:
        links = measure_links(bus, NODE_ECHO.at(site, node="pi"), NODE_SINK.at(site, node="pi"))
    finally:
        bus.close()
    assert 0 < links.latency_s < 2.0
    assert np.isfinite(links.uplink_bytes_per_s)
    assert np.isfinite(links.downlink_bytes_per_s)


def test_a_link_that_carries_nothing_is_as_slow_as_we_were_patient(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(measure, "_ECHO_PATIENCE_S", 0.001)
    assert measure_links(Deaf(), ECHO, SINK).latency_s == 0.0005
