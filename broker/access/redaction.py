"""What may be shown of a text: no password of an address, and nothing that a terminal acts on."""

import re
from typing import Final

from broker.printable import printable

# From the scheme (or the user's name) to the last @ of the line: a password may hold anything.
_LOGIN: Final = re.compile(r"(?P<scheme>\b[a-zA-Z][a-zA-Z0-9+.-]*://)[^\n]*@\S*")
_BARE_LOGIN: Final = re.compile(r"[^\s('\"]*:[^\n]*@\S*")


def without_secrets(text: str) -> str:
    """Return ``text`` with what may be an address with a password cut off after its scheme, by line."""
    if "@" not in text:
        return text
    text = _LOGIN.sub(r"\g<scheme>…", text)
    return _BARE_LOGIN.sub("…", text) if "@" in text else text


def redacted(text: str) -> str:
    """Return ``text`` on one line, without secrets and with control characters spelled out."""
    return without_secrets(printable(text, None))
