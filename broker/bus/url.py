"""The address of a broker: ``mqtt://[user:password@]host[:port]``, or ``mqtts://`` over TLS."""

from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import SplitResult, unquote, urlsplit

_DEFAULT_PORTS: Final = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True, slots=True)
class BrokerUrl:
    """Where a broker listens and who we are to it; its text never shows the password."""

    host: str
    port: int = 1883
    tls: bool = False
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the address that ``text`` spells.

        Raises:
            ValueError: one sentence that names the text and what is wrong with it.
        """
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError as error:
            raise ValueError(f"{_shown(text)!r} is not a broker address: {error}") from None
        fault = _fault(parts, port)
        if fault:
            raise ValueError(
                f"{_shown(text)!r} is not a broker address: {fault}; "
                "write mqtt://HOST:PORT or mqtts://HOST:PORT"
            )
        return cls(
            host=parts.hostname or "",
            port=_DEFAULT_PORTS[parts.scheme] if port is None else port,
            tls=parts.scheme == "mqtts",
            user=None if parts.username is None else unquote(parts.username),
            password=None if parts.password is None else unquote(parts.password),
        )

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.tls else 'mqtt'}://{host}:{self.port}"


def _fault(parts: SplitResult, port: int | None) -> str | None:
    """Return what keeps ``parts`` from being an address, or None."""
    if parts.scheme not in _DEFAULT_PORTS:
        return "it does not begin with mqtt:// or mqtts://"
    if not parts.hostname or any(not c.isprintable() or c.isspace() for c in parts.hostname):
        return "it names no host"
    if port == 0:
        return "no broker listens on port 0"
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        return "nothing may follow the port"
    return None


def _shown(text: str) -> str:
    """Return ``text`` without what stands before an ``@``, which may be a password."""
    scheme, separator, rest = text.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}" if separator else text
