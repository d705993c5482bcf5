"""The address of a camera on the web, with what it is asked with."""

import ssl
from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

from broker.access.redaction import redacted
from fog_node.sources.source import SourceError

SCHEMES: Final = ("http://", "https://")
_SAFE: Final = "%/:=&?~#+!$,;'@()*[]"


@dataclass(frozen=True, slots=True)
class WebAddress:
    """``url`` without a login; the login is asked for with basic or digest authentication."""

    url: str
    user: str | None = None
    password: str = field(default="", repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the address that ``text`` spells, ``http://[user:password@]host[:port]/path``.

        Raises:
            SourceError: it is none; what is no secret of it is shown.
        """
        try:
            parts = urlsplit(text)
            fault = _fault(parts)
        except ValueError:  # its own words may repeat a password
            fault = "its host or port is none"
        if fault:
            raise SourceError(f"{redacted(text)}: no address of a camera: {fault}")
        host = parts.netloc.rpartition("@")[2]
        path = quote(parts.path or "/", safe=_SAFE)
        url = urlunsplit((parts.scheme, host, path, quote(parts.query, safe=_SAFE), ""))
        if parts.username is None:
            return cls(url)
        return cls(url, unquote(parts.username), unquote(parts.password or ""))


def _fault(parts: SplitResult) -> str | None:
    host = parts.hostname
    if not host or any(not each.isprintable() or each.isspace() for each in host):
        return "it names no host"
    if not host.isascii():
        return "its host is not ASCII"
    if parts.port == 0:
        return "nothing listens on port 0"
    if any(each.isspace() or not each.isprintable() for each in parts.netloc):
        return "a space in it"
    return None


def trust(ca: str | None) -> ssl.SSLContext:
    """Return how a camera's certificate is checked; ``ca`` (PEM) is its authority, None: the system's."""
    context = ssl.create_default_context()
    if ca is not None:
        context.load_verify_locations(cadata=ca)
    return context
