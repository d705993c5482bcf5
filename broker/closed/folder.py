"""The folder of a closed fog: who made it may read it, and nobody else.

fog.json            site, hosts, port, the operator's public key
authority.pem/.key  the site's own certificate authority
operator.key        signs what is deployed; keep it, and better elsewhere
admin.password      of the one user who may change users
broker.lock         held while a broker runs on this folder
mosquitto/          what Mosquitto reads, and writes: its certificate, key and users; it may be
another user than who made the folder, and owns this part of it
"""

import datetime as dt
import json
import os
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from broker.access.private_file import PrivateFileError, replace_private
from broker.closed.authority import (
    Key,
    certificate_pem,
    certify_broker,
    check_clock,
    needs_renewal,
    own_names,
)
from broker.engine.address import own_address
from broker.files.strict_json import parse_json, read_json
from broker.files.text import FileError
from broker.first_fault import first_fault

_SETTINGS: Final = "fog.json"
_ID: Final = r"^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$"


class ClosedFogError(Exception):
    """What cannot be done with a closed fog, in one sentence that says what to do."""


class Settings(BaseModel):
    """What ``fog-broker init`` was told, and the operator's public key (64 hex digits)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    site: Annotated[str, Field(pattern=_ID)]
    hosts: tuple[str, ...]
    port: Annotated[int, Field(ge=1, le=65535)]
    operator_key: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class ClosedFog:
    """One folder, with its settings read."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder, self.settings = folder, settings
        self.mosquitto = folder / "mosquitto"
        self.users = self.mosquitto / "dynamic-security.json"
        self.lock = folder / "broker.lock"
        self.users_lock = folder / "users.lock"

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Return the closed fog that was made in ``folder``.

        Raises:
            ClosedFogError: there is none, or it cannot be read.
        """
        try:
            if not (folder / _SETTINGS).exists() and (folder.is_dir() or not folder.exists()):
                raise ClosedFogError(
                    f"{folder} is not the folder of a closed fog; make one: "
                    f"fog-broker init {folder} --site SITE"
                )
            return cls(folder, Settings.model_validate(read_json(folder / _SETTINGS)))
        except (FileError, OSError) as error:
            raise ClosedFogError(str(error)) from None
        except ValidationError as error:
            fault = first_fault(error, "the file")
            raise ClosedFogError(f"{folder / _SETTINGS}: {fault}") from None

    @property
    def url(self) -> str:
        """Where devices find the broker: the first of the hosts that were named, else this machine."""
        host = self.settings.hosts[0] if self.settings.hosts else own_address()
        bracketed = f"[{host}]" if ":" in host else host
        return f"mqtts://{bracketed}:{self.settings.port}"

    @property
    def authority_pem(self) -> str:
        """The certificate of the site's own authority.

        Raises:
            ClosedFogError: it cannot be read.
        """
        return self._read("authority.pem").decode()

    @property
    def admin_password(self) -> str:
        """What the one user who may change users says.

        Raises:
            ClosedFogError: it cannot be read.
        """
        return self._read("admin.password").decode().strip()

    def read_users(self) -> dict[str, Any]:
        """Return what Mosquitto knows of the users.

        Raises:
            ClosedFogError: it cannot be read.
        """
        try:
            document = parse_json(self._read("mosquitto/dynamic-security.json"))
        except ValueError as error:
            raise ClosedFogError(f"{self.users}: {error}") from None
        if not isinstance(document, dict):
            raise ClosedFogError(f"{self.users} is not the file of Mosquitto's dynamic security")
        return document

    def write_users(self, document: dict[str, Any]) -> None:
        """Write what Mosquitto is to know of the users, while it does not run.

        Raises:
            ClosedFogError: it cannot be written.
        """
        try:
            replace_private(self.users, json.dumps(document, indent=2).encode())
        except PrivateFileError as error:
            raise ClosedFogError(str(error)) from None

    def renew(self, now: dt.datetime, *also: str) -> bool:
        """Make the broker a new certificate if its own ends soon or lacks a name of this machine.

        ``also`` are names that are to stand in it beside those.

        Raises:
            ClosedFogError: the folder cannot be read or written.
            ClockError: the clock cannot be right.
        """
        check_clock(now)
        try:
            present = x509.load_pem_x509_certificate(self._read("mosquitto/broker.pem"))
            names = self.names(*also)
            if not needs_renewal(present, names, now):
                return False
            authority = x509.load_pem_x509_certificate(self._read("authority.pem"))
            key, authority_key = self._key("mosquitto/broker.key"), self._key("authority.key")
        except ValueError as error:
            raise ClosedFogError(
                f"{self.folder}: a certificate or key is damaged: {error}"
            ) from None
        new = certify_broker(names, key, authority, authority_key, now)
        try:
            replace_private(self.mosquitto / "broker.pem", certificate_pem(new))
        except PrivateFileError as error:
            raise ClosedFogError(str(error)) from None
        return True

    def give_to(self, user: int, group: int) -> None:
        """Let Mosquitto, as another user, read and write its own part of the folder.

        Raises:
            ClosedFogError: it cannot be given.
        """
        try:
            for path in (self.mosquitto, *self.mosquitto.iterdir()):
                os.chown(path, user, group)
        except OSError as error:
            raise ClosedFogError(f"{self.mosquitto}: {error.strerror}") from None

    def names(self, *also: str) -> tuple[str, ...]:
        """Return the names and addresses that the broker's certificate is to be for."""
        return tuple(dict.fromkeys((*self.settings.hosts, *own_names(), *also)))

    def _read(self, name: str) -> bytes:
        try:
            return (self.folder / name).read_bytes()
        except OSError as error:
            raise ClosedFogError(f"{self.folder / name}: {error.strerror}") from None

    def _key(self, name: str) -> Key:
        key = serialization.load_pem_private_key(self._read(name), password=None)
        if not isinstance(key, Key):
            raise ClosedFogError(f"{self.folder / name} is a key of another kind")
        return key
