"""The operator's private key: one file, with which what is deployed is signed (Ed25519)."""

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from broker.access.private_file import read_private


class KeyFileError(ValueError):
    """A file that holds no operator's key, in one sentence that names it."""


def new_key() -> bytes:
    """Return a new operator's private key as PEM (PKCS8)."""
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def read_key(path: Path) -> Ed25519PrivateKey:
    """Return the operator's private key.

    Raises:
        PrivateFileError: it is not there, or others can read it.
        KeyFileError: it holds something else.
    """
    pem = read_private(path, "a key")
    try:
        key = load_pem_private_key(pem, None)
    except TypeError:
        raise KeyFileError(f"{path}: the key has a passphrase; one without is wanted") from None
    except (ValueError, UnsupportedAlgorithm):
        raise KeyFileError(
            f"{path} is not the operator's key; give operator.key of the folder that `fog-broker init` made"
        ) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileError(
            f"{path} is not the operator's key; give operator.key of the folder that `fog-broker init` made"
        )
    return key


def public_key(key: Ed25519PrivateKey) -> str:
    """Return the public half, as 64 hex digits."""
    return key.public_key().public_bytes_raw().hex()
