"""The address of a broker: ``mqtt://[user@]host[:port]``, or ``mqtts://`` over TLS."""

import re
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import SplitResult, unquote, urlsplit

_DEFAULT_PORTS: Final = {"mqtt": 1883, "mqtts": 8883}
_FORM: Final = "write mqtt://HOST:PORT or mqtts://HOST:PORT"
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*://")
_HARMLESS: Final = re.compile(r"(?:[a-z][a-z0-9+.-]*://)?[\w.\-\[\]]{0,253}(?::[0-9]{1,5}\Z|:)?")


@dataclass(frozen=True, slots=True)
class BrokerUrl:
    """Where a broker listens, and perhaps as whom; a password is never part of an address."""

    host: str
    port: int = 1883
    tls: bool = False
    user: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the address that ``text`` spells.

        Raises:
            ValueError: one sentence that says what is wrong, and shows of the text what is no secret.
        """
        try:
            parts = urlsplit(text)
            port = parts.port
            fault = _fault(parts, port)
        except ValueError:  # its own words may repeat a password
            fault = f"its host or port is none (a port is 1 to 65535); {_FORM}"
        if fault:
            raise ValueError(f"{_shown(text)!r} is not a broker address: {fault}")
        return cls(
            host=parts.hostname or "",
            port=_DEFAULT_PORTS[parts.scheme] if port is None else port,
            tls=parts.scheme == "mqtts",
            user=None if parts.username is None else unquote(parts.username),
        )

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.tls else 'mqtt'}://{host}:{self.port}"


def _fault(parts: SplitResult, port: int | None) -> str | None:
    """Return what keeps ``parts`` from being an address, or None."""
    if parts.scheme not in _DEFAULT_PORTS:
        return f"it does not begin with mqtt:// or mqtts://; {_FORM}"
    if parts.password is not None:
        return (
            "everyone on this machine can see a password in it; "
            "leave it out and give --password-file FILE or set FOGWEAVE_PASSWORD"
        )
    if not parts.hostname or any(not c.isprintable() or c.isspace() for c in parts.hostname):
        return f"it names no host; {_FORM}"
    if port == 0:
        return f"no broker listens on port 0; {_FORM}"
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        return f"nothing may follow the port; {_FORM}"
    return None


def _shown(text: str) -> str:
    """Return as much of ``text`` as cannot be a password."""
    if "@" in text:  # what stands before it is one perhaps, and what stands after it as well
        scheme = _SCHEME.match(text)
        return f"{scheme[0] if scheme else ''}…"
    harmless = _HARMLESS.match(text)
    shown = harmless[0] if harmless else ""
    return shown if shown == text else f"{shown}…"
