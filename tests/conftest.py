"""The brokers under test: both real, each a process of its own, started once."""

import os
import signal
import uuid
from collections.abc import Iterator

import pytest
from hypothesis import settings

from broker.engine.choice import available_engines
from broker.engine.running import RunningBroker, running_broker
from tests.broker.secured_broker import SecuredBroker, plugin, secured_broker

# Time never decides a test; and what CI finds, it finds again.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")

# A shell has its background jobs ignore Ctrl-C, and what we start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


def _run(engine: str) -> Iterator[RunningBroker]:
    if engine not in available_engines():
        if engine == "mosquitto" and os.environ.get("FOGWEAVE_REQUIRE_MOSQUITTO") == "1":
            pytest.fail("mosquitto is not on this machine, and FOGWEAVE_REQUIRE_MOSQUITTO is 1")
        pytest.skip(f"{engine} is not on this machine")
    with running_broker(engine) as broker:
        yield broker


@pytest.fixture(scope="session")
def mosquitto() -> Iterator[RunningBroker]:
    """Mosquitto with our settings."""
    yield from _run("mosquitto")


@pytest.fixture(scope="session")
def embedded() -> Iterator[RunningBroker]:
    """The embedded broker."""
    yield from _run("embedded")


@pytest.fixture(scope="session")
def secured(
    mosquitto: RunningBroker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SecuredBroker]:
    """Mosquitto with TLS, users and rights."""
    assert mosquitto.engine == "mosquitto"
    if plugin() is None:
        if os.environ.get("FOGWEAVE_REQUIRE_MOSQUITTO") == "1":
            pytest.fail("mosquitto's dynamic security is not on this machine")
        pytest.skip("mosquitto's dynamic security is not on this machine")
    with secured_broker(tmp_path_factory.mktemp("secured")) as broker:
        yield broker


@pytest.fixture(params=["mosquitto", "embedded"])
def broker_url(request: pytest.FixtureRequest) -> str:
    """The address of each real broker in turn."""
    running: RunningBroker = request.getfixturevalue(request.param)
    return running.url


@pytest.fixture
def site() -> str:
    """A site of the test's own, so that tests may share a broker."""
    return f"s{uuid.uuid4().hex[:12]}"
