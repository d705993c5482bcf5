"""The one small file with which a device joins a closed fog; ``fog-broker enrol`` writes it.

It is JSON, holds a password, and so may be read by its owner alone.
"""

from pathlib import Path
from typing import Annotated, Final, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from broker.access.credentials import Credentials
from broker.access.private_file import PrivateFileError, read_private, write_private
from broker.files.strict_json import parse_json
from broker.first_fault import first_fault

Role = Literal[
    "coordinator", "ha-coordinator", "node", "camera", "operator", "reader", "home-assistant"
]
ROLES: Final[tuple[Role, ...]] = get_args(Role)


def _one(role: Role) -> str:
    return f"an {role}" if role == "operator" else f"a {role}"


class JoinFileError(ValueError):
    """A join file that cannot be used, in one sentence that names the file and what to do."""


class JoinFile(BaseModel):
    """What a device needs to join: where, as whom, and whom to trust.

    ``broker`` is the address (``mqtts://HOST:PORT``, no password), ``ca`` the certificate (PEM) of the
    site's own authority, ``operator_key`` the operator's Ed25519 public key (64 hex digits): what a fog
    node runs is to be signed with it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    format: Literal[1] = 1
    role: Role
    id: Annotated[str, Field(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$")]
    site: Annotated[str, Field(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$")]
    broker: Annotated[str, Field(pattern=r"^mqtts?://[^@\s]+$", max_length=300)]
    user: Annotated[str, Field(min_length=1, max_length=200)]
    password: Annotated[str, Field(min_length=1, max_length=200, repr=False)]
    ca: Annotated[str, Field(max_length=20_000, repr=False)]
    operator_key: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

    @property
    def credentials(self) -> Credentials:
        """Who the device is to the broker."""
        return Credentials(self.user, self.password, self.ca)

    @classmethod
    def read(cls, path: Path, *roles: Role) -> Self:
        """Return what ``path`` holds, made for one of ``roles``.

        Raises:
            JoinFileError: it is not there, readable by others, not a join file, or of another role.
        """
        try:
            text = read_private(path, "a password")
        except PrivateFileError as error:
            raise JoinFileError(str(error)) from None
        if not text.strip():
            raise JoinFileError(
                f"{path} is empty: fog-broker enrol gave nothing, and said why where it ran; "
                f"have it made anew"
            )
        try:
            joined = cls.model_validate(parse_json(text))
        except ValidationError as error:
            fault = first_fault(error, "the file")
            raise JoinFileError(f"{path} is not a join file: {fault}") from None
        except ValueError as error:
            raise JoinFileError(f"{path} is not a join file: {error}") from None
        if roles and joined.role not in roles:
            raise JoinFileError(
                f"{path} is of {_one(joined.role)}; this wants one of "
                f"{' or '.join(_one(role) for role in roles)}: fog-broker enrol {roles[0]} ID --dir DIR"
            )
        return joined

    def write(self, path: Path) -> None:
        """Write the file, to be read by its owner alone; one that is there is not overwritten.

        Raises:
            JoinFileError: it is there already, or cannot be written.
        """
        try:
            write_private(path, self.model_dump_json(indent=2).encode() + b"\n")
        except PrivateFileError as error:
            raise JoinFileError(str(error)) from None
