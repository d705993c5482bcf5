"""A file with a password, for those who join by hand."""

import os
from pathlib import Path
from typing import Final

from broker.access.tls import CredentialsError
from broker.files.text import open_now

_MOST_BYTES: Final = 64 * 1024  # of the CONNECT packet, which has a password of two length bytes
_OTHERS: Final = 0o077


def read_password(path: Path) -> str:
    """Return the password in ``path``: its one line.

    Raises:
        CredentialsError: it is not there, others can read it, or it does not hold one line.
    """
    try:
        with open_now(path) as file:
            if os.name == "posix" and os.fstat(file.fileno()).st_mode & _OTHERS:
                raise CredentialsError(
                    f"{path} holds a password and others can read it; run: chmod 600 {path}"
                )
            text = file.read(_MOST_BYTES).decode()
    except OSError as error:
        raise CredentialsError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise CredentialsError(f"{path}: a password file is text in UTF-8") from None
    lines = text.splitlines()
    if len(lines) != 1 or not lines[0]:
        raise CredentialsError(f"{path}: a password file holds the password and nothing else")
    return lines[0]
