"""Why there is no connection, or none any more."""

import time
from typing import Final

from broker.bus.refusal import (
    alert_reason,
    connack_reason,
    disconnect_reason,
    is_refusal,
    speaks_tls,
    tls_reason,
)
from broker.bus.url import BrokerUrl

_UNSUPPORTED_PROTOCOL: Final = 0x84
_SILENT_SECONDS: Final = 2.5  # whoever closes later than that did not close at the first byte


class Loss:
    """What is known of the end of one connection, filled in while it lives."""

    def __init__(self, url: BrokerUrl, client_id: str, user: str | None) -> None:
        self._url, self._client_id, self._user = url, client_id, user
        self._asked_at = 0.0
        self.reason = "no answer"
        self.too_new = False
        """The broker is there, but takes no such version of MQTT."""
        self.refused = False
        """The broker is there, and somebody has to do something before it and we come together."""

    def handshake(self, error: OSError) -> bool:
        """Take a connection that did not come about; return whether it was TLS that failed."""
        told = tls_reason(error, self._url) if self._url.tls else None
        if told is not None:
            self.reason, self.refused = told, True
        return told is not None

    def asked(self) -> None:
        """Take note that the way is open and an answer is to come.

        Some say that they take no MQTT 5, and some are confused by it and close without a word.
        """
        self._asked_at = time.monotonic()
        self.too_new = True
        self.reason = "it takes connections but does not answer as an MQTT broker"

    def answered(self, code: int, text: str) -> None:
        """Take the answer to our CONNECT."""
        self.too_new = code == _UNSUPPORTED_PROTOCOL
        self.refused = is_refusal(code)
        self.reason = connack_reason(code, text, self._user)

    def alerted(self, text: str) -> None:
        """Take what the library says of an error: TLS 1.3 refuses our certificate after the handshake."""
        told = alert_reason(text) if self._url.tls else None
        if told is not None:
            self.reason, self.refused, self.too_new = told, True, False

    def closed(self) -> None:
        """Take a connection that ended before it was one: perhaps the port speaks TLS only."""
        at_once = time.monotonic() - self._asked_at < _SILENT_SECONDS
        if self.too_new and not self._url.tls and at_once and speaks_tls(self._url):
            encrypted = BrokerUrl(self._url.host, self._url.port, tls=True)
            self.reason, self.refused, self.too_new = (
                f"it speaks TLS; write {encrypted}",
                True,
                False,
            )

    def ended(self, code: int, text: str) -> None:
        """Take the end of a connection that was one."""
        self.reason = disconnect_reason(code, text, self._client_id)

    def repeated(self) -> None:
        """Take note that one brief connection after another ends: not every broker says who took over."""
        self.reason += f"; again and again: does another run as {self._client_id}?"
