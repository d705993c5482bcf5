"""The demo's broker, and how its parts get to it."""

from contextlib import AbstractContextManager
from dataclasses import dataclass

from broker.access.join_file import Role
from broker.access.operator_key import read_key
from broker.bus.mqtt import MqttBus
from broker.bus.url import BrokerUrl
from broker.engine.running import RunningBroker, running_broker, running_closed_broker
from coordinator.demo.ways_in import Closed, WaysIn
from coordinator.fog.signer import Signer


def broker_of(ways_in: WaysIn, engine: str) -> AbstractContextManager[RunningBroker]:
    """Return the broker for these ways in, which runs as long as the context lasts."""
    if isinstance(ways_in, Closed):
        return running_closed_broker(ways_in.fog.folder)
    return running_broker(engine)


@dataclass(frozen=True, slots=True)
class Way:
    """The way into the fog of the broker that runs."""

    ways_in: WaysIn
    broker: RunningBroker

    @property
    def _port(self) -> int:
        return BrokerUrl.parse(self.broker.url).port

    def options(self, role: Role, name: str) -> tuple[str, ...]:
        """Return what a part is started with."""
        return self.ways_in.options(role, name, self._port, None)

    def bus(self, role: Role, name: str) -> MqttBus:
        """Return a connection with the rights of a role."""
        return self.ways_in.bus(role, name, self._port)

    def signer(self) -> Signer | None:
        """Return who signs what is deployed, nobody in an open fog."""
        if not isinstance(self.ways_in, Closed):
            return None
        return Signer(read_key(self.ways_in.fog.folder / "operator.key"), days=1)
