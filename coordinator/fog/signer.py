"""The operator's hand: signs what is deployed."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from broker.access.signature import Subject, sign
from broker.calibration import Calibration
from broker.messages import Spec
from broker.tensor_specs import InputSpec
from models.bundle import Bundle

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs specs, and for how many days from now a signature is good."""

    key: "Ed25519PrivateKey"
    days: int

    def signed(self, spec: Spec) -> Spec:
        """Return the spec with the operator's word on its bundle."""
        bundle = Bundle.model_validate(spec.bundle)
        signature = sign(
            self.key,
            subject_of(spec.deployment, bundle),
            (part.sha256 for part in bundle.partitions),
            spec.revision,
            int(time.time()) + self.days * _DAY_S,
        )
        return spec.model_copy(update={"signature": signature})


def subject_of(deployment: str, bundle: Bundle) -> Subject:
    """Return what a signature is of, of a bundle under this name."""
    taken = InputSpec.model_validate(bundle.input.model_dump())
    calibration = Calibration.model_validate(bundle.calibration.model_dump())
    return Subject(deployment, bundle.classes, taken, calibration)
