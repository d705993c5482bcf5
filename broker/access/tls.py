"""How a connection over TLS is checked: who the broker is to be, and what we show it of us."""

import os
import ssl
import stat
from pathlib import Path

from broker.access.credentials import Credentials
from broker.files.text import open_now


class CredentialsError(ValueError):
    """Certificates, keys or passwords that cannot be used, in one sentence."""


class _ClosedByFailure(ssl.SSLSocket):
    """Does not stay open, with nobody to close it, when the handshake fails."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except BaseException:
            self.close()
            raise


def tls_context(credentials: Credentials) -> ssl.SSLContext:
    """Return the settings of a connection: TLS 1.2 or newer, the broker's name and certificate checked.

    The name is to stand in the certificate's subjectAltName, as a DNS name or, where the address is
    a number, as an IP address.

    Raises:
        CredentialsError: a certificate or a key that is none.
    """
    try:
        context = ssl.create_default_context(cadata=credentials.ca or None)
    except (ssl.SSLError, ValueError):
        raise CredentialsError("the certificate of the authority (ca) is none in PEM") from None
    context.sslsocket_class = _ClosedByFailure
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if credentials.certificate is not None:
        _show(context, credentials.certificate, credentials.key)
    return context


def _show(context: ssl.SSLContext, certificate: Path, key: Path | None) -> None:
    """Have ``context`` show our certificate to a broker that asks for one."""

    def encrypted() -> str:  # instead of a question on the terminal, which nobody may be at
        raise CredentialsError(
            f"{key or certificate}: the key is encrypted; give one without a passphrase: "
            "openssl pkey -in KEY -out NEW"
        )

    for path in filter(None, (certificate, key)):
        try:
            with open_now(path) as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise CredentialsError(f"{path}: is not a file")
        except OSError as error:
            raise CredentialsError(f"{path}: {error.strerror}") from None
    try:
        context.load_cert_chain(certificate, key, encrypted)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            reason = f"the key in {key or certificate} is not that of the certificate"
        elif key is None:
            reason = "it has no key in it (PEM); give it with --cert-key"
        else:
            reason = f"it and {key} are not a certificate and its key in PEM"
        raise CredentialsError(f"{certificate}: {reason}") from None
