"""What a broker says of itself when a connection begins."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class BrokerFacts:
    """What is known of the broker; an MQTT 3.1.1 broker tells nothing, and None is what was not told."""

    mqtt: str
    tls: str | None = None
    certificate_until: str | None = None
    max_qos: int = 2
    retains: bool = True
    max_packet_bytes: int | None = None

    @classmethod
    def of(cls, mqtt: str, properties: Any, sock: Any) -> "BrokerFacts":
        """Return what the CONNACK's properties and the socket tell."""
        certificate: dict[str, Any] = getattr(sock, "getpeercert", dict)() or {}
        return cls(
            mqtt=mqtt,
            tls=getattr(sock, "version", lambda: None)(),
            certificate_until=certificate.get("notAfter"),
            max_qos=getattr(properties, "MaximumQoS", 2),
            retains=bool(getattr(properties, "RetainAvailable", 1)),
            max_packet_bytes=getattr(properties, "MaximumPacketSize", None),
        )
