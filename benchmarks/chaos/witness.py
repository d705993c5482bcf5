"""What the benchmark itself hears on the broker: where the coordinator has placed what."""

import threading

from broker.bus.mqtt import MqttBus
from broker.bus.seam import Message
from broker.messages import Status
from broker.payload import MessageError
from broker.topics import STATUS


class Witness:
    """Listens to the status of every deployment of a site; safe from any thread."""

    def __init__(self, bus: MqttBus, site: str) -> None:
        self._placements: dict[int, dict[str, str]] = {}
        self._lock = threading.Lock()
        self._bus = bus
        self._bus.subscribe(STATUS.every(site), self._hear)

    @property
    def placements(self) -> dict[int, dict[str, str]]:
        """Return where the partitions were, by epoch that served."""
        with self._lock:
            return dict(self._placements)

    @property
    def placement(self) -> dict[str, str]:
        """Return where the partitions are in the newest epoch that served."""
        placements = self.placements
        return placements[max(placements)] if placements else {}

    def close(self) -> None:
        """Stop listening."""
        self._bus.close()

    def _hear(self, message: Message) -> None:
        if not message.payload:
            return
        try:
            status = Status.decode(message.payload)
        except MessageError:
            return
        if status.phase == "serving":
            with self._lock:
                self._placements[status.epoch] = dict(status.placement)
