"""Why a broker and we do not come together, each in one sentence that says what to do.

Pure: what an error or a reason code means. A refusal stays one until a person does something, so it
is told apart from a broker that is not there.
"""

import re
import socket
import ssl
from datetime import UTC, datetime
from typing import Final

from broker.bus.url import BrokerUrl

_NOT_AUTHORISED: Final = 0x87
_TAKEN_OVER: Final = 0x8E
_BAD_LOGIN: Final = frozenset({0x86, _NOT_AUTHORISED})
_BANNED: Final = 0x8A
_BAD_CLIENT_ID: Final = 0x85
_ADMINISTRATIVE: Final = 0x98
_PERMANENT: Final = _BAD_LOGIN | {_BANNED, _BAD_CLIENT_ID, 0x8C}

_NOT_YET_VALID: Final = 9
_EXPIRED: Final = 10
_FOREIGN: Final = frozenset({2, 18, 19, 20, 21})
_WRONG_NAME: Final = frozenset({62, 64})
_CLOCKS_BEGIN: Final = datetime(2020, 1, 1, tzinfo=UTC)
_ALERT: Final = re.compile(r"\[SSL: ([A-Z0-9_]*)\]")
_PROBE_SECONDS: Final = 1.0


def is_refusal(code: int) -> bool:
    """Return whether a CONNACK's reason code stands until a person does something."""
    return code in _PERMANENT


def connack_reason(code: int, text: str, user: str | None) -> str:
    """Return what a CONNACK's failure means; ``text`` is the specification's name of ``code``."""
    if code in _BAD_LOGIN and user is None:
        return f"it lets nobody in without a user ({text}); give --join FILE, or --user and --password-file"
    if code in _BAD_LOGIN:
        return (
            f"it does not let {user!r} in ({text}): a wrong user, password or client id, or revoked; "
            "check them, or have it enrolled anew: fog-broker enrol"
        )
    if code == _BANNED:
        return f"it has banned {user or 'us'} ({text}); ask whoever runs it"
    if code == _BAD_CLIENT_ID:
        return f"it takes no such client id ({text}); ask whoever runs it which ids may connect"
    return text


def disconnect_reason(code: int, text: str, client_id: str) -> str:
    """Return why a broker ended a connection."""
    if code == _TAKEN_OVER:
        return f"another connection as {client_id} took over; each id is for one at a time"
    if code in (_ADMINISTRATIVE, _NOT_AUTHORISED):
        return f"it cut us off: {text}; revoked, perhaps"
    return text.replace("Unspecified error", "the connection ended")


def tls_reason(error: OSError, url: BrokerUrl) -> str | None:
    """Return why the handshake failed, or None if it did not come to one."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _certificate_reason(error, url.host, datetime.now(UTC))
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError | ConnectionResetError) or (
        isinstance(error, ssl.SSLError) and error.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST")
    ):
        return (
            f"no TLS is spoken at port {url.port}; TLS is often at 8883, "
            "and mqtt:// is for a broker without it"
        )
    if isinstance(error, ssl.SSLError):
        return alert_reason(str(error)) or f"the TLS handshake failed ({error.reason or error})"
    return None


def alert_reason(text: str) -> str | None:
    """Return what a TLS alert of the broker means, from what the library said; None if it is none."""
    found = _ALERT.search(text)
    if found is None or "ALERT" not in found[1]:
        return None
    alert = re.sub(r"^\w*?ALERT_", "", found[1]).replace("_", " ").lower()
    if "PROTOCOL_VERSION" in found[1]:
        return f"it speaks only versions of TLS older than 1.2 ({alert})"
    if "CERTIFICATE_REQUIRED" in found[1] or "HANDSHAKE_FAILURE" in found[1]:
        return f"it wants a certificate of ours ({alert}); give --cert and --cert-key"
    if "CERTIFICATE" in found[1] or "UNKNOWN_CA" in found[1]:
        return f"it does not take our certificate ({alert}); check --cert, or have a new one made"
    return f"it ended the TLS handshake ({alert})"


def _certificate_reason(error: ssl.SSLCertVerificationError, host: str, now: datetime) -> str:
    code, text = error.verify_code, error.verify_message
    if code == _NOT_YET_VALID and now < _CLOCKS_BEGIN:
        return (
            f"its certificate cannot be checked: this machine's clock says {now:%Y-%m-%d}; set it"
        )
    if code == _NOT_YET_VALID:
        return (
            f"its certificate is not yet valid ({now:%Y-%m-%d %H:%M} UTC here); check both clocks"
        )
    if code == _EXPIRED:
        return (
            f"its certificate has expired ({now:%Y-%m-%d} here); "
            "check the clock, or have the broker's certificate renewed"
        )
    if code in _FOREIGN:
        return (
            f"its certificate is not of the authority that we trust ({text}); is it the right broker? "
            "give the --ca of this one, or a join file made for it"
        )
    if code in _WRONG_NAME:
        return (
            f"its certificate is not for {host}; "
            "use a name or an address that stands in it (subjectAltName)"
        )
    return f"its certificate does not pass ({text})"


def speaks_tls(url: BrokerUrl) -> bool:
    """Return whether TLS is spoken at an address: what answers plain MQTT with silence may do so."""
    try:
        with (
            socket.create_connection((url.host, url.port), _PROBE_SECONDS) as plain,
            ssl.create_default_context().wrap_socket(plain, server_hostname=url.host),
        ):
            return True
    except ssl.SSLCertVerificationError:
        return True  # a certificate, though none that we would trust
    except (OSError, ValueError):
        return False
