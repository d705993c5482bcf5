"""What the operator signs of a deployment, and whether a signature holds (Ed25519, RFC 8032).

Signed are the name, the revision, the expiry and the artifacts, and what gives the answers their
meaning: the classes, how a picture becomes the network's input, and the calibration. So whoever has the coordinator's
place, or the broker's, can have nothing else run, and no answer renamed.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from broker.calibration import UNCALIBRATED, Calibration
from broker.messages import Signature
from broker.tensor_specs import InputSpec

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_FORMAT: Final = "fogweave signature 2"


@dataclass(frozen=True, slots=True)
class Subject:
    """What a signature is of: a deployment by this name, with these classes, that takes such pictures."""

    deployment: str
    classes: tuple[str, ...]
    taken: InputSpec
    calibration: Calibration = UNCALIBRATED


def sign(
    key: "Ed25519PrivateKey",
    subject: Subject,
    artifacts: Iterable[str],
    revision: int,
    expires: int,
) -> Signature:
    """Return the operator's word that ``artifacts`` (hashes) may run as this deployment.

    ``expires`` is in Unix seconds.
    """
    unsigned = Signature(
        revision=revision, expires=expires, artifacts=tuple(sorted(set(artifacts))), value="0" * 128
    )
    value = key.sign(_statement(unsigned, subject)).hex()
    return unsigned.model_copy(update={"value": value})


def holds(signature: Signature, operator_key: str, subject: Subject) -> bool:
    """Return whether this is the word of who has the private half of ``operator_key`` (64 hex digits)."""
    # Not with the module: it takes 8 MB and 12 ms, and a fog node that is open to all needs neither.
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(operator_key))
        public.verify(bytes.fromhex(signature.value), _statement(signature, subject))
    except InvalidSignature:
        return False
    return True


def _statement(signature: Signature, subject: Subject) -> bytes:
    """Return what is signed: JSON with sorted keys and no spaces, numbers as Python writes them."""
    said = {
        "format": _FORMAT,
        "deployment": subject.deployment,
        "revision": signature.revision,
        "expires": signature.expires,
        "artifacts": signature.artifacts,
        "classes": subject.classes,
        "input": subject.taken.model_dump(mode="json"),
        "calibration": subject.calibration.model_dump(mode="json"),
    }
    return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
