"""The worlds that the contract of the bus is tested in: memory, Mosquitto, the embedded broker."""

import contextlib
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from broker.engine.running import RunningBroker, running_broker
from tests.broker.bus.worlds import MemoryWorld, MqttWorld, World


@pytest.fixture(params=["memory", "mosquitto", "embedded"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    made: World
    if request.param == "memory":
        made = MemoryWorld()
    else:
        running: RunningBroker = request.getfixturevalue(request.param)
        made = MqttWorld(running.url)
    yield made
    made.close()


@pytest.fixture(params=["memory", "mosquitto", "embedded"])
def restartable_world(request: pytest.FixtureRequest) -> Iterator[World]:
    """A world whose broker is the test's own."""
    if request.param == "memory":
        memory = MemoryWorld()
        yield memory
        memory.close()
        return
    request.getfixturevalue(request.param)  # skips, or fails, where it is absent
    with contextlib.ExitStack() as stack:
        running = stack.enter_context(running_broker(request.param))
        port = urlsplit(running.url).port or 0

        def restart() -> None:
            stack.close()
            stack.enter_context(running_broker(request.param, port=port))

        made = MqttWorld(running.url, restart)
        yield made
        made.close()
