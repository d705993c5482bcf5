"""A site's own certificate authority, and the certificate of its broker."""

import datetime as dt
import ipaddress
import re
import socket
from collections.abc import Collection
from typing import Final

import psutil
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from broker.engine.address import own_address

_BEGIN: Final = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
"""From when on certificates are valid: a device whose clock is a little slow is to join, too."""
_AUTHORITY_DAYS: Final = 3652
_BROKER_DAYS: Final = 730
_RENEW_DAYS: Final = 30

_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST: Final = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")

Key = ec.EllipticCurvePrivateKey


class ClockError(Exception):
    """The clock cannot be right."""


def check_clock(now: dt.datetime) -> None:
    """Refuse a clock that stands before 2020, when no certificate of ours is valid.

    Raises:
        ClockError: it does; the sentence says what to do.
    """
    if now < _BEGIN:
        raise ClockError(
            f"the clock of this machine says {now:%Y-%m-%d}, and certificates need the time; "
            "set it: timedatectl set-ntp true, or date -s"
        )


def own_names() -> tuple[str, ...]:
    """Return the names and addresses at which clients may reach a broker on this machine."""
    host = socket.gethostname()
    names = ["localhost", "127.0.0.1", "::1", host, own_address()]
    if "." not in host:
        names.append(f"{host}.local")  # as mDNS has it
    for addresses in psutil.net_if_addrs().values():
        for address in addresses:
            plain = address.address.partition("%")[0]
            link_local = plain.lower().startswith(("fe80:", "169.254."))
            if address.family in (socket.AF_INET, socket.AF_INET6) and not link_local:
                names.append(plain)
    return tuple(dict.fromkeys(filter(is_host, names)))


def is_host(name: str) -> bool:
    """Return whether ``name`` is an address, or a name that a certificate can carry."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return bool(_HOST.fullmatch(name))
    return "%" not in name


def new_key() -> Key:
    """Return a private key for an authority or a broker."""
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: Key) -> bytes:
    """Return a private key as PEM, without a password."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def certificate_pem(certificate: x509.Certificate) -> bytes:
    """Return a certificate as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def make_authority(site: str, key: Key, now: dt.datetime) -> x509.Certificate:
    """Return the certificate of a site's own authority; it is valid for ten years."""
    name = _name(f"Fogweave {site}")
    builder = _builder(name, name, key, now + dt.timedelta(days=_AUTHORITY_DAYS))
    usage = _usage(sign_certificates=True)
    return (
        builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )


def certify_broker(
    names: Collection[str],
    key: Key,
    authority: x509.Certificate,
    authority_key: Key,
    now: dt.datetime,
) -> x509.Certificate:
    """Return a broker's certificate for ``names``, of which those that are addresses stand as such."""
    until = min(now + dt.timedelta(days=_BROKER_DAYS), authority.not_valid_after_utc)
    builder = _builder(_name("fog-broker"), authority.subject, key, until)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    return (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(sign_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(list(map(_alternative, names))), critical=False)
        .add_extension(issuer, critical=False)
        .sign(authority_key, hashes.SHA256())
    )


def needs_renewal(certificate: x509.Certificate, names: Collection[str], now: dt.datetime) -> bool:
    """Return whether a broker's certificate ends soon, or lacks one of the broker's names."""
    if certificate.not_valid_after_utc - now < dt.timedelta(days=_RENEW_DAYS):
        return True
    extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return not {_alternative(name) for name in names} <= set(extension.value)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: Key, until: dt.datetime
) -> x509.CertificateBuilder:
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_BEGIN)
        .not_valid_after(until)
        .add_extension(identifier, critical=False)
    )


def _usage(*, sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not sign_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common[:64])])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
