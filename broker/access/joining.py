"""Where a command connects to and as whom: what its options come to."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Final, Self

from broker.access.credentials import NOBODY, Credentials
from broker.access.join_file import ROLES, JoinFile, Role
from broker.access.password_file import read_password
from broker.access.tls import CredentialsError, tls_context
from broker.bus.url import BrokerUrl
from broker.files.text import open_now

BROKER: Final = "mqtt://127.0.0.1:1883"
SITE: Final = "home"
_USER: Final = re.compile(rf"(?P<role>{'|'.join(ROLES)})/(?P<id>[a-z0-9-]{{1,64}})")
PASSWORD: Final = "FOGWEAVE_PASSWORD"  # noqa: S105 - the name of a variable
_MOST_CA_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Given:
    """The options for joining as they were typed; None for those that were not."""

    broker: str | None = None
    site: str | None = None
    join: Path | None = None
    ca: Path | None = None
    cert: Path | None = None
    cert_key: Path | None = None
    user: str | None = None
    password_file: Path | None = None

    @property
    def by_hand(self) -> list[str]:
        """The options that a join file stands for."""
        names = [field.name for field in fields(self)][3:]
        return [f"--{name.replace('_', '-')}" for name in names if getattr(self, name) is not None]


@dataclass(frozen=True, slots=True)
class Joined:
    """Where a command connects to, and as whom; ``file`` where it was given a join file."""

    url: str = BROKER
    site: str = SITE
    credentials: Credentials = NOBODY
    file: JoinFile | None = None

    @classmethod
    def of(cls, given: Given, roles: tuple[Role, ...], environment: Mapping[str, str]) -> Self:
        """Return what the options come to; a join file is to be made for one of ``roles``, if any.

        Raises:
            ValueError: one contradicts another, or cannot be used; one sentence that names it.
        """
        if given.join is not None:
            return cls._by_file(given.join, given, roles)
        joined = cls(
            BROKER if given.broker is None else given.broker,
            SITE if given.site is None else given.site,
        )
        url = BrokerUrl.parse(joined.url)
        for option in given.by_hand:
            if option in ("--ca", "--cert", "--cert-key") and not url.tls:
                raise CredentialsError(
                    f"{option} is for TLS, and {url} is without; write mqtts://HOST:PORT"
                )
        if given.cert_key is not None and given.cert is None:
            raise CredentialsError("--cert-key is the key of --cert, which is missing")
        if given.user is not None and url.user not in (None, given.user):
            raise CredentialsError(f"--user {given.user}: the broker's address has another user")
        user = given.user or url.user
        password = environment.get(PASSWORD) or None
        if given.password_file is not None:
            password = read_password(given.password_file)
        if password is not None and user is None:
            source = PASSWORD if given.password_file is None else "--password-file"
            raise CredentialsError(f"{source} gives a password, and there is no --user NAME")
        ca = None if given.ca is None else _authority(given.ca)
        credentials = Credentials(user, password, ca, given.cert, given.cert_key)
        if url.tls:
            tls_context(credentials)
        return replace(joined, credentials=credentials)

    @classmethod
    def _by_file(cls, path: Path, given: Given, roles: tuple[Role, ...]) -> Self:
        if given.by_hand:
            raise CredentialsError(
                f"{given.by_hand[0]}: {path} brings the credentials; leave one of them out"
            )
        file = JoinFile.read(path, *roles)
        if given.broker is not None:
            url = BrokerUrl.parse(given.broker)
            if url != BrokerUrl.parse(file.broker):
                raise CredentialsError(
                    f"--broker {url}: {path} is for {file.broker}; leave --broker out"
                )
        if given.site not in (None, file.site):
            raise CredentialsError(
                f"--site {given.site}: {path} is for site {file.site}; leave --site out"
            )
        try:
            tls_context(file.credentials)
        except CredentialsError as error:
            raise CredentialsError(f"{path}: {error}") from None
        return cls(file.broker, file.site, file.credentials, file)

    def own_id(self, given: str | None) -> str:
        """Return the id of this device: the join file's, or else what ``--id`` says.

        Raises:
            ValueError: they differ, or there is neither.
        """
        if self.file is None:
            if given is None:
                raise CredentialsError("--id is missing: give --id ID, or --join FILE")
            return given
        if given not in (None, self.file.id):
            raise CredentialsError(
                f"--id {given}: the join file is of {self.file.id}; leave --id out"
            )
        return self.file.id

    @property
    def device(self) -> str | None:
        """The id of who is enrolled under our user name, ``ROLE/ID``; None for other users, and for none.

        A closed fog binds such a user to one client id, whether it joins with its file or by hand.
        """
        enrolled = _USER.fullmatch(self.credentials.user or "")
        return None if enrolled is None else enrolled["id"]

    def client_id(self, open_id: str) -> str:
        """Return who we are to the broker: of who is enrolled the user's id, ``open_id`` otherwise."""
        return open_id if self.device is None else f"{self.site}/{self.credentials.user}"

    def asking(self, open_id: str) -> tuple[str, "Joined"]:
        """Return as whom a fog node asks whether it runs already, before it connects as itself.

        Both have one password; whoever asks may only hear the node's state and beat.
        """
        if self.device is None:
            return open_id, self
        user = f"ask/{self.device}"
        credentials = replace(self.credentials, user=user)
        return f"{self.site}/{user}", replace(self, credentials=credentials)

    @property
    def operator_key(self) -> str | None:
        """The key that what is deployed is signed with (64 hex digits); None in an open fog."""
        return None if self.file is None else self.file.operator_key

    @property
    def exposed(self) -> str | None:
        """Return a warning if the password leaves this machine without encryption."""
        url = BrokerUrl.parse(self.url)
        if self.credentials.password is None or url.tls or _is_here(url.host):
            return None
        return f"the password goes to {url} without encryption; use mqtts://"


def _authority(path: Path) -> str:
    try:
        with open_now(path) as file:
            text = file.read(_MOST_CA_BYTES).decode("ascii", "replace")
        tls_context(Credentials(ca=text or "nothing"))
    except OSError as error:
        raise CredentialsError(f"--ca {path}: {error.strerror}") from None
    except CredentialsError:
        raise CredentialsError(f"--ca {path}: not a certificate in PEM") from None
    return text


def _is_here(host: str) -> bool:
    """Return whether what goes to ``host`` never leaves this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
