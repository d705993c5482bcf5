"""Where a Mosquitto listens, as its settings say.

A setting that belongs to a listener counts for the one above it. So a certificate without a listener
of its own would count for none, and what its owner takes for encrypted would be plain text.
"""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from broker.bus.url import BrokerUrl
from broker.engine.address import EngineError, reachable_host
from broker.files.text import FileError, read_text

_OF_TLS: Final = frozenset(
    [
        "cafile",
        "capath",
        "certfile",
        "ciphers",
        "ciphers_tls1.3",
        "crlfile",
        "dhparamfile",
        "keyfile",
        "psk_file",
        "psk_hint",
        "require_certificate",
        "tls_engine",
        "tls_keyform",
        "tls_version",
        "use_identity_as_username",
        "use_subject_as_username",
    ]
)
_MOST_INCLUDED: Final = 10
"""Mosquitto itself follows no deeper; a folder that includes itself would have no end."""
_MOST_PORT: Final = 65535
_MOST_BYTES: Final = 1024 * 1024
_MAKES_TLS: Final = ("certfile", "psk_hint")


@dataclass(frozen=True, slots=True)
class Listener:
    """One address of a broker; ``context`` says how its certificate is checked, None without TLS."""

    host: str
    port: int
    context: ssl.SSLContext | None = field(default=None, compare=False)

    @property
    def url(self) -> BrokerUrl:
        """Its address for clients on this machine."""
        return BrokerUrl(reachable_host(self.host), self.port, tls=self.context is not None)


@dataclass(frozen=True, slots=True)
class _Found:
    host: str
    port: int
    tls: bool = False
    speaks_mqtt: bool = True


def listener_of(conf: Path) -> Listener | None:
    """Return the first MQTT listener that a ``mosquitto.conf`` has, or None if it has none.

    Raises:
        EngineError: it cannot be read, has certificates for no listener, or listeners without MQTT.
    """
    found: list[_Found] = []
    for where, word, value in _lines(conf):
        words = value.split()
        if word in ("listener", "port"):
            port = int(words[0]) if words and words[0].isdecimal() else 0
            if port > _MOST_PORT:
                raise EngineError(f"{where}: {value} is no port; a port is 1 to {_MOST_PORT}")
            found.append(_Found(words[1] if len(words) > 1 else "", port))
        elif word in _OF_TLS and not found:
            raise EngineError(
                f"{where} sets {word} for no listener, and would encrypt nothing; "
                "write above it, for example: listener 8883"
            )
        elif word in _MAKES_TLS:
            found[-1] = replace(found[-1], tls=True)
        elif word == "bind_address" and found:
            found[-1] = replace(found[-1], host=value)
        elif word == "protocol" and found:
            found[-1] = replace(found[-1], speaks_mqtt=value == "mqtt")
    usable = [each for each in found if each.port > 0 and each.speaks_mqtt]
    if found and not usable:
        raise EngineError(f"{conf} has no listener that speaks MQTT over TCP")
    if not usable:
        return None
    first = usable[0]
    return Listener(first.host, first.port, _unchecked() if first.tls else None)


def _unchecked() -> ssl.SSLContext:
    """Return settings for one look at whether a broker of ours answers: nothing is told it."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _lines(conf: Path, depth: int = 0) -> Iterator[tuple[str, str, str]]:
    """Yield where a setting stands, its name and its value, those of included files in their place."""
    for number, line in enumerate(read_settings(conf).splitlines(), 1):
        word, _, value = line.strip().partition(" ")
        if word == "include_dir" and depth < _MOST_INCLUDED:
            for included in sorted(Path(value.strip()).glob("*.conf")):
                yield from _lines(included, depth + 1)
        elif word and not word.startswith("#"):
            yield f"{conf}:{number}", word, value.strip()


def read_settings(conf: Path) -> str:
    """Return what a ``mosquitto.conf`` holds.

    Raises:
        EngineError: it cannot be read.
    """
    try:
        return read_text(conf, _MOST_BYTES)
    except FileError as error:
        raise EngineError(str(error)) from None
