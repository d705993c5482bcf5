"""The broker that a camera's pictures are taken from, where it is another than the fog's."""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from broker.access.credentials import Credentials
from broker.access.password_file import read_password
from broker.access.tls import CredentialsError, tls_context
from broker.bus.mqtt import MqttBus
from broker.bus.seam import Bus
from broker.bus.url import BrokerUrl

PASSWORD: Final = "FOGWEAVE_SOURCE_PASSWORD"  # noqa: S105 - the name of a variable
_MOST_CA_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class SourceBroker:
    """``mqtt://[user@]host[:port]``, and as whom."""

    url: str
    credentials: Credentials

    @classmethod
    def of(
        cls,
        url: str,
        password_file: Path | None,
        ca: str | None,
        environment: Mapping[str, str],
        variable: str = PASSWORD,
    ) -> Self:
        """Return the broker; the password is in a file, or in the ``variable`` of the environment.

        Raises:
            ValueError: the address is none, or what comes with it cannot be used; one sentence.
        """
        try:
            address = BrokerUrl.parse(url)
        except ValueError as error:
            hint = "--password-file FILE or set FOGWEAVE_PASSWORD"
            told = str(error).replace(hint, f"--source-password-file FILE or set {PASSWORD}")
            raise ValueError(told) from None
        password = environment.get(variable) or None
        if password_file is not None:
            password = read_password(password_file)
        if password is not None and address.user is None:
            raise CredentialsError(
                f"there is a password for {address}, and no user; write mqtt://USER@HOST"
            )
        credentials = Credentials(user=address.user, password=password, ca=ca)
        if address.tls:
            tls_context(credentials)
        return cls(url, credentials)


def read_authority(path: Path) -> str:
    """Return the authority (PEM) in a file.

    Raises:
        ValueError: there is none.
    """
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_CA_BYTES).decode("ascii", "replace")
        tls_context(Credentials(ca=text or "nothing"))
    except OSError as error:
        raise CredentialsError(f"{path}: {error.strerror}") from None
    except CredentialsError:
        raise CredentialsError(f"{path}: not a certificate in PEM") from None
    return text


@contextmanager
def source_bus(broker: SourceBroker | None, bus: Bus, name: str) -> Iterator[Bus]:
    """Yield the bus that pictures come by: ``bus``, or one of their own broker."""
    if broker is None:
        yield bus
        return
    client_id = f"fog-camera-{name}-{uuid.uuid4().hex[:8]}"
    other = MqttBus(broker.url, client_id, credentials=broker.credentials)
    try:
        yield other
    finally:
        other.close()
