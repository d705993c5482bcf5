"""Makes the folder of a closed fog."""

import datetime as dt
import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from broker.access.operator_key import new_key as new_operator_key
from broker.access.operator_key import public_key, read_key
from broker.access.private_file import PrivateFileError, write_private
from broker.closed.authority import (
    certificate_pem,
    certify_broker,
    check_clock,
    key_pem,
    make_authority,
    new_key,
)
from broker.closed.dynamic_security import administrator, new_document, new_password
from broker.closed.folder import ClosedFog, ClosedFogError, Settings


def found(folder: Path, site: str, hosts: Sequence[str], port: int, now: dt.datetime) -> ClosedFog:
    """Make the folder, whole or not at all; ``hosts`` are names beside those that the machine has.

    Raises:
        ClosedFogError: there is something already, or it cannot be made.
        ClockError: the clock cannot be right.
    """
    check_clock(now)
    if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
        raise ClosedFogError(
            f"{folder} is there already and stays as it is; name another folder, or remove it"
        )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
        try:
            operator = part / "operator.key"
            write_private(operator, new_operator_key())
            settings = Settings(
                site=site,
                hosts=tuple(hosts),
                port=port,
                operator_key=public_key(read_key(operator)),
            )
            _fill(ClosedFog(part, settings), now)
            part.replace(folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    except OSError as error:
        raise ClosedFogError(f"{folder}: {error.strerror}") from None
    except PrivateFileError as error:
        raise ClosedFogError(str(error)) from None
    return ClosedFog(folder, settings)


def _fill(fog: ClosedFog, now: dt.datetime) -> None:
    site = fog.settings.site
    authority_key, key = new_key(), new_key()
    authority = make_authority(site, authority_key, now)
    certificate = certify_broker(fog.names(), key, authority, authority_key, now)
    password = new_password()
    users = new_document(administrator(site, password))
    fog.mosquitto.mkdir(mode=0o700)
    for name, data in (
        ("fog.json", fog.settings.model_dump_json(indent=2).encode() + b"\n"),
        ("authority.pem", certificate_pem(authority)),
        ("authority.key", key_pem(authority_key)),
        ("admin.password", password.encode() + b"\n"),
        # Made now, they are the founder's, whoever takes them first.
        (fog.lock.name, b""),
        (fog.users_lock.name, b""),
        ("mosquitto/broker.pem", certificate_pem(certificate)),
        ("mosquitto/broker.key", key_pem(key)),
        ("mosquitto/dynamic-security.json", json.dumps(users, indent=2).encode()),
    ):
        write_private(fog.folder / name, data)
