"""Asking a camera on the web: HTTP with a login, redirects and limits, and with nothing else."""

import base64
import http.client
import ssl
import time
import urllib.request
from types import TracebackType
from typing import Final, Self
from urllib.parse import urljoin, urlsplit

from broker.access.redaction import redacted
from broker.printable import printable
from fog_node.sources.source import SourceError
from fog_node.sources.web_address import SCHEMES, WebAddress, trust

TIMEOUT_S: Final = 4.0
_MOST_STEPS: Final = 6
"""Redirects, and being asked for the login, on the way to one picture."""
_HEADERS: Final = {
    "User-Agent": "fog-camera",
    "Accept": "image/*, multipart/x-mixed-replace, */*",
    "Connection": "close",
}
_ELSEWHERE: Final = frozenset({301, 302, 303, 307, 308})
_OK, _UNAUTHORIZED = 200, 401


class Answer:
    """A camera's answer, whose body is to be read; closing it closes the connection."""

    def __init__(
        self, connection: http.client.HTTPConnection, response: http.client.HTTPResponse
    ) -> None:
        self._connection, self._response = connection, response

    @property
    def kind(self) -> str:
        """The type that the camera says it is of."""
        return printable(self._response.headers.get_content_type(), 80)

    @property
    def length(self) -> int | None:
        """How many bytes the body has, if that is told."""
        text = self._response.headers.get("Content-Length", "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else None

    def read(self, most: int) -> bytes:
        """Return the body, ``most`` bytes at most.

        Raises:
            SourceError: it does not come, or too slowly.
        """
        body, until = bytearray(), time.monotonic() + TIMEOUT_S
        while len(body) < most and (piece := self.read_some(most - len(body))):
            body += piece
            if time.monotonic() > until:  # each byte that comes begins the time of a socket anew
                raise SourceError(words(TimeoutError()))
        return bytes(body)

    def read_some(self, most: int) -> bytes:
        """Return what has come of the body, waiting for some; nothing at its end.

        Raises:
            SourceError: nothing comes.
        """
        try:
            return self._response.read1(most)
        except (OSError, http.client.HTTPException) as error:
            raise SourceError(words(error)) from None

    def close(self) -> None:
        """Close the connection."""
        self._response.close()
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _at: TracebackType | None,
    ) -> None:
        self.close()


class Asking:
    """Asks one address, over and over; a login is given where it is asked for, and nowhere else."""

    def __init__(self, address: WebAddress, ca: str | None = None) -> None:
        self._address = address
        self._context = trust(ca) if ca or address.url.startswith("https:") else None
        self._origin = urlsplit(address.url)[:2]
        logins = urllib.request.HTTPPasswordMgrWithDefaultRealm()
        logins.add_password(None, address.url, address.user or "", address.password)
        self._digest = urllib.request.AbstractDigestAuthHandler(logins)
        self._challenge: str | None = None  # how the camera wants the login, once it was asked

    def ask(self) -> Answer:
        """Return the camera's answer.

        Raises:
            SourceError: there is none, or it refuses, in a few words.
        """
        url, refused = self._address.url, False
        for _ in range(_MOST_STEPS):
            answer, response = self._send(url)
            if response.status == _OK:
                return answer
            answer.close()
            challenges = response.headers.get_all("WWW-Authenticate", [])
            there = response.headers.get("Location")
            if response.status == _UNAUTHORIZED and not refused and self._may_log_in(url):
                refused, self._challenge = True, _best(challenges)
            elif response.status in _ELSEWHERE and there:
                url = _followed(url, there)
            else:
                reason = printable(str(response.reason), 80)
                raise SourceError(f"answers {response.status} {reason}".rstrip())
        raise SourceError(f"sends us from one place to the next, {_MOST_STEPS} times")

    def _send(self, url: str) -> tuple[Answer, http.client.HTTPResponse]:
        parts = urlsplit(url)
        host, selector = parts.netloc, parts.path or "/"
        if parts.query:
            selector += f"?{parts.query}"
        try:
            if parts.scheme == "https":
                self._context = self._context or trust(None)
                connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                    host, timeout=TIMEOUT_S, context=self._context
                )
            else:
                connection = http.client.HTTPConnection(host, timeout=TIMEOUT_S)
        except (ValueError, http.client.HTTPException) as error:
            raise SourceError(words(error)) from None
        try:
            connection.request("GET", selector, headers=_HEADERS | self._login(url))
            response = connection.getresponse()
        except (OSError, http.client.HTTPException, ValueError) as error:
            connection.close()
            raise SourceError(words(error)) from None
        return Answer(connection, response), response

    def _may_log_in(self, url: str) -> bool:
        """Return whether there is a login for ``url``: another host does not get it."""
        return self._address.user is not None and urlsplit(url)[:2] == self._origin

    def _login(self, url: str) -> dict[str, str]:
        if self._challenge is None or not self._may_log_in(url):
            return {}
        scheme, _, rest = self._challenge.partition(" ")
        if scheme.lower() == "digest":
            wanted = urllib.request.parse_keqv_list(urllib.request.parse_http_list(rest))
            made = self._digest.get_authorization(urllib.request.Request(url), wanted)  # noqa: S310
            return {"Authorization": f"Digest {made}"} if made else {}
        login = f"{self._address.user}:{self._address.password}".encode()
        return {"Authorization": f"Basic {base64.b64encode(login).decode()}"}


def _best(challenges: list[str]) -> str | None:
    """Return the challenge that keeps the password to itself, where there is one."""
    known = [each for each in challenges if each.lower().startswith(("digest ", "basic"))]
    return min(known, key=lambda each: not each.lower().startswith("digest"), default=None)


def _followed(url: str, there: str) -> str:
    to = urljoin(url, there)
    if not to.startswith(SCHEMES):
        raise SourceError("sends us to what is no address of a camera")
    try:
        return WebAddress.parse(to).url
    except SourceError:
        raise SourceError("sends us to what is no address of a camera") from None


def words(error: object) -> str:
    """Return a failure in a few words, without addresses."""
    if isinstance(error, TimeoutError):
        return f"no answer for {TIMEOUT_S:g} s"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    told = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return printable(redacted(" ".join(str(told).split())), 200)
