"""The operator's key is read back where nobody else can read it; what is none is refused in one line."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from broker.access.operator_key import KeyFileError, new_key, public_key, read_key
from broker.access.private_file import PrivateFileError, write_private
from broker.access.signature import Subject, holds, sign
from broker.tensor_specs import InputSpec

TAKEN = InputSpec(name="input", shape=(1, 1, 2, 2), dtype="float32", mean=(0.1,), std=(0.3,))
SUBJECT = Subject("digits", ("cat", "dog"), TAKEN)


def test_an_operators_key_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "operator.key"
    write_private(path, new_key())
    signature = sign(read_key(path), SUBJECT, ["a" * 64], 1, 2)
    assert holds(signature, public_key(read_key(path)), SUBJECT)


def test_what_is_no_operators_key_is_refused_in_one_line(tmp_path: Path) -> None:
    def refused(name: str, data: bytes) -> str:
        write_private(tmp_path / name, data)
        with pytest.raises(KeyFileError) as told:
            read_key(tmp_path / name)
        assert str(told.value).startswith(str(tmp_path / name))
        return str(told.value)

    encrypted = Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
    )
    foreign = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    assert "is not the operator's key" in refused("garbage", b"\0\xff")
    assert "passphrase" in refused("encrypted", encrypted)
    assert "is not the operator's key" in refused("foreign", foreign)


def test_an_operators_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "operator.key"
    write_private(path, new_key())
    path.chmod(0o644)
    with pytest.raises(PrivateFileError, match="chmod 600"):
        read_key(path)
