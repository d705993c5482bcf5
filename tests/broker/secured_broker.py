"""A Mosquitto with TLS and rights, and the certificates of its authority."""

import base64
import contextlib
import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from broker.access.credentials import Credentials
from broker.access.join_file import JoinFile, Role
from broker.access.rights import Party, client_id_of, rights_of, user_of
from broker.engine import mosquitto
from broker.engine.address import free_port

SITE: Final = "home"
PASSWORD: Final = "Zq7 pass wörd"  # noqa: S105 - of brokers that live for a test
OPERATOR_KEY: Final = "ab" * 32
_PLUGIN: Final = "mosquitto_dynamic_security.so"
_PLACES: Final = ("/usr/lib", "/usr/local/lib", "/opt/homebrew/lib")


_HOME: Final = f"fog/v2/{SITE}"
Users = dict[str, dict[str, list[str]]]


def _device(party: Party, name: str, **less: list[str]) -> Users:
    """Return a user with the rights of its party, or with ``less``."""
    rights = rights_of(party, name, SITE)
    may = {"write": list(rights.writes), "read": list(rights.reads), **less}
    return {user_of(party, name): {"client": [client_id_of(SITE, party, name)], **may}}


USERS: Final[Users] = {
    "admin": {"write": ["$CONTROL/#"]},
    "anna": {"write": [f"{_HOME}/#"], "read": [f"{_HOME}/#"]},
    **_device("coordinator", "desk"),
    **_device("node", "pi"),
    **_device("ask", "pi"),
    **_device("camera", "door"),
    **_device("camera", "blind", write=[]),
    **_device("camera", "deaf", read=[]),
    **_device("camera", "stolen"),
    **_device("operator", "anna"),
    **_device("operator", "mute", write=[f"{_HOME}/client/mute/+"]),
    **_device("reader", "carl", read=[f"{_HOME}/deployment/+/status"]),
}
"""By user name: the topic filters that it may ``write`` and ``read``, its client id if bound to one."""


class Authority:
    """A certificate authority that lives for a test."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self._key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.now(UTC)
        self._certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=30))
            .not_valid_after(now + timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False
            )
            .add_extension(_usage(signs=True), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.pem = self._certificate.public_bytes(serialization.Encoding.PEM).decode()
        self.file = folder / f"{name}.pem"
        self.file.write_text(self.pem, "ascii")

    def issue(
        self, name: str, *names: str, days: tuple[int, int] = (-1, 1), client: bool = False
    ) -> tuple[Path, Path]:
        """Return the files of a certificate for hosts and addresses, valid from and to ``days``, and its key."""
        key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(self._certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + timedelta(days=days[0]))
            .not_valid_after(now + timedelta(days=days[1]))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
            .add_extension(
                x509.ExtendedKeyUsage(
                    [ExtendedKeyUsageOID.CLIENT_AUTH if client else ExtendedKeyUsageOID.SERVER_AUTH]
                ),
                critical=False,
            )
        )
        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([_alternative(known) for known in names]),
                critical=False,
            )
        certificate = builder.sign(self._key, hashes.SHA256())
        files = self._folder / f"{name}.crt", self._folder / f"{name}.key"
        files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        files[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        files[1].chmod(0o600)
        return files


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


@dataclass(frozen=True, slots=True)
class SecuredBroker:
    """Addresses of one broker: every way in is right but for what it is called."""

    authority: Authority
    foreign: Authority
    folder: Path
    ports: dict[str, int]

    def url(self, listener: str = "good", *, tls: bool = True, host: str = "127.0.0.1") -> str:
        """Return the address of a listener."""
        return f"{'mqtts' if tls else 'mqtt'}://{host}:{self.ports[listener]}"

    def credentials(self, user: str, password: str = PASSWORD) -> Credentials:
        """Return what a user of this broker has."""
        return Credentials(user, password, self.authority.pem)

    def join_file(self, role: Role, name: str, **changes: Any) -> Path:
        """Return a join file for this broker."""
        made = JoinFile(
            role=role,
            id=name,
            site=SITE,
            broker=self.url(),
            user=f"{role}/{name}",
            password=PASSWORD,
            ca=self.authority.pem,
            operator_key=OPERATOR_KEY,
        ).model_copy(update=changes)
        path = self.folder / f"{role}-{name}-{len(list(self.folder.iterdir()))}.join"
        made.write(path)
        return path


def plugin() -> Path | None:
    """Return Mosquitto's dynamic security, or None where it is not installed."""
    for place in _PLACES:
        for found in Path(place).glob(f"**/{_PLUGIN}"):
            return found
    return None


@contextlib.contextmanager
def secured_broker(folder: Path) -> Iterator[SecuredBroker]:
    """Run Mosquitto with ``USERS``, and with one listener for each fault of a certificate."""
    program, rights = mosquitto.program(), plugin()
    assert program is not None
    assert rights is not None
    authority, foreign = Authority(folder, "authority"), Authority(folder, "foreign")
    names = ("localhost", "127.0.0.1")
    certificates = {
        "good": authority.issue("good", *names),
        "asking": authority.issue("asking", *names),
        "expired": authority.issue("expired", *names, days=(-9, -1)),
        "early": authority.issue("early", *names, days=(1, 9)),
        "elsewhere": authority.issue("elsewhere", "fog.example"),
        "foreign": foreign.issue("other", *names),
    }
    ports = {name: free_port("127.0.0.1", 0) for name in (*certificates, "plain")}
    (folder / "rights.json").write_text(json.dumps(_rights(USERS)), "utf-8")
    lines = [
        *(f"user {name}" for name in (["root"] if os.geteuid() == 0 else [])),
        "log_dest stderr",
        "allow_anonymous false",
        "set_tcp_nodelay true",
        f"plugin {rights}",
        f"plugin_opt_config_file {folder / 'rights.json'}",
        f"listener {ports['plain']} 127.0.0.1",
    ]
    for name, (certificate, key) in certificates.items():
        lines += [
            f"listener {ports[name]} 127.0.0.1",
            f"certfile {certificate}",
            f"keyfile {key}",
        ]
        if name == "asking":
            lines += [f"cafile {authority.file}", "require_certificate true"]
    conf = folder / "mosquitto.conf"
    conf.write_text("\n".join(lines) + "\n", "utf-8")
    with subprocess.Popen([program, "-c", conf], stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            said = []
            for line in process.stderr:
                said.append(line)
                if line.rstrip().endswith("running"):
                    break
            assert process.poll() is None, said
            with contextlib.suppress(OSError):
                os.set_blocking(process.stderr.fileno(), False)
            yield SecuredBroker(authority, foreign, folder, ports)
        finally:
            process.kill()


def _rights(users: dict[str, dict[str, list[str]]]) -> dict[str, Any]:
    """Return the file of the dynamic security."""
    clients, roles = [], []
    for user, may in users.items():
        salt, rounds = os.urandom(12), 101
        digest = hashlib.pbkdf2_hmac("sha512", PASSWORD.encode(), salt, rounds)
        clients.append(
            {
                "username": user,
                "roles": [{"rolename": user}],
                "password": base64.b64encode(digest).decode(),
                "salt": base64.b64encode(salt).decode(),
                "iterations": rounds,
                **({"clientid": may["client"][0]} if "client" in may else {}),
            }
        )
        acls = [("publishClientSend", topic) for topic in may.get("write", [])]
        acls += [("subscribePattern", topic) for topic in may.get("read", [])]
        roles.append(
            {
                "rolename": user,
                "acls": [
                    {"acltype": kind, "topic": topic, "priority": 0, "allow": True}
                    for kind, topic in acls
                ],
            }
        )
    return {
        "defaultACLAccess": {
            "publishClientSend": False,
            "publishClientReceive": True,
            "subscribe": False,
            "unsubscribe": True,
        },
        "clients": clients,
        "groups": [],
        "roles": roles,
    }
