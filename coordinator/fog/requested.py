"""Specs that wait for their artifacts, and artifacts that are fetched again; pure."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from broker.access.trust import Trust
from broker.codec import Chunk
from broker.first_fault import first_fault
from broker.messages import ArtifactRequest, Spec
from broker.ranges import MOST_TENSOR_BYTES
from coordinator.fog.parallel_pulls import ParallelPulls
from coordinator.fog.signer import subject_of
from models.bundle import Bundle

PULL_PATIENCE_S: Final = 20.0
MOST_ARTIFACT_BYTES: Final = 512 * 1024 * 1024
"""What comes is in memory until it is whole; a larger one would not run near a camera either."""
MOST_WAITING: Final = 400
"""So many new specs at most wait for artifacts that nobody has proven to have."""
STOCK_S: Final = 60.0
"""So often is looked whether artifacts are missing here."""
LOOK_S: Final = 5.0
"""So often is looked who may have what is missing."""


class SpecError(ValueError):
    """A spec that cannot be served, in one sentence that names the field."""


def bundle_of(spec: Spec) -> Bundle:
    """Return the bundle that a spec asks for.

    Raises:
        SpecError: it is not valid, one of its tensors does not fit into a message, or it is too large
            to be fetched.
    """
    try:
        bundle = Bundle.model_validate(spec.bundle)
    except ValidationError as error:
        raise SpecError(f"bundle.{first_fault(error, '')}") from None
    for tensor in bundle.tensors:
        if tensor.bytes > MOST_TENSOR_BYTES:
            raise SpecError(
                f"bundle.tensors.{tensor.id}: {tensor.bytes} bytes; "
                f"a message carries at most {MOST_TENSOR_BYTES}"
            )
    size = sum({part.sha256: part.bytes for part in bundle.partitions}.values())
    if size > MOST_ARTIFACT_BYTES:
        raise SpecError(
            f"bundle.partitions: {size} bytes together; at most {MOST_ARTIFACT_BYTES} are fetched"
        )
    return bundle


def refusal_of(spec: Spec, bundle: Bundle, trust: Trust, now: float) -> str:
    """Return why a spec is not to be served, by the operator's signature; empty if it may be."""
    subject = subject_of(spec.deployment, bundle)
    artifacts = {part.sha256: part.id for part in bundle.partitions}
    return trust.refusal(spec.signature, subject, artifacts, now)


@dataclass(frozen=True, slots=True)
class RequestedSpec:
    """A spec that waits. One that ``lasts`` was there before us, and is not ours to refuse."""

    spec: Spec
    bundle: Bundle
    lasts: bool = False


class RequestedSpecs:
    """The specs whose artifacts are being fetched; ``has`` tells whether one of a hash and size is kept.

    ``holders`` are those who may have an artifact, the likeliest first, or also ``anyone`` else that
    could be asked; the empty name is that of the client that deploys.
    """

    def __init__(
        self,
        has: Callable[[str, int], bool],
        holders: Callable[[str, bool], list[str]],
        trust: Trust,
    ) -> None:
        self._has, self._holders, self._trust = has, holders, trust
        self._pulls = ParallelPulls()
        self._waiting: dict[str, RequestedSpec] = {}
        self._told: dict[str, str] = {}
        self._anyone: dict[str, bool] = {}
        self._look_at = self._stock_at = 0.0

    def __contains__(self, sha256: object) -> bool:
        """Return whether an artifact is being fetched."""
        return sha256 in self._pulls

    def __len__(self) -> int:
        """Return how many artifacts are being fetched."""
        return len(self._pulls)

    @property
    def names(self) -> list[str]:
        """The deployments whose specs wait."""
        return list(self._waiting)

    @property
    def bundles(self) -> list[Bundle]:
        """The bundles that are wanted."""
        return [requested.bundle for requested in self._waiting.values()]

    def revision(self, deployment: str) -> int:
        """Return the revision that waits, -1 if none does."""
        waiting = self._waiting.get(deployment)
        return -1 if waiting is None else waiting.spec.revision

    def admit(self, spec: Spec, now: float, *, lasts: bool = False) -> None:
        """Have a spec wait until all of its artifacts are here; one that ``lasts`` was admitted before.

        Raises:
            SpecError: it cannot be served, is not signed by whom we trust, or too many wait already.
        """
        name, bundle = spec.deployment, bundle_of(spec)
        refusal = "" if lasts else refusal_of(spec, bundle, self._trust, now)
        if refusal:
            raise SpecError(refusal)
        if not lasts and name not in self._waiting and len(self._waiting) >= MOST_WAITING:
            raise SpecError(
                f"{MOST_WAITING} other deployments wait for their artifacts; deploy again"
            )
        self._waiting[name] = RequestedSpec(spec, bundle, lasts)
        self._fetch(name, bundle, anyone=lasts)

    def fetch(self, bundle: Bundle) -> None:
        """Fetch what is missing of a bundle that serves, from whoever has it."""
        self._fetch("", bundle, anyone=True)

    def stock(self, bundles: Collection[Bundle], now: float) -> None:
        """Fetch nothing but what these and the specs that wait lack; look now and then what got lost here."""
        wanted = {part.sha256 for bundle in bundles for part in bundle.partitions}
        waited = {part.sha256 for bundle in self.bundles for part in bundle.partitions}
        self._anyone = {s: a for s, a in self._anyone.items() if s in wanted or s in waited}
        for group in self._pulls.groups:
            waiting = self._waiting.get(group)
            parts = waiting.bundle.partitions if waiting is not None else ()
            self._pulls.keep_to(group, {part.sha256 for part in parts} if group else wanted)
        if now >= self._stock_at:
            self._stock_at = now + STOCK_S
            for bundle in bundles:
                self.fetch(bundle)

    def _fetch(self, group: str, bundle: Bundle, *, anyone: bool) -> None:
        for part in bundle.partitions:
            if not self._has(part.sha256, part.bytes):
                self._anyone[part.sha256] = anyone or self._anyone.get(part.sha256, False)
                holders = self._holders(part.sha256, anyone)
                self._pulls.begin(group, part.sha256, part.bytes, holders)

    def drop(self, deployment: str) -> None:
        """Want a spec no more."""
        self._waiting.pop(deployment, None)
        self._told.pop(deployment, None)

    def accept(self, chunk: Chunk, now: float) -> bytes | None:
        """Take a chunk; return the artifact when it is whole."""
        return self._pulls.accept(chunk, now)

    def requests(self, now: float) -> list[ArtifactRequest]:
        """Return what to ask for now; of whoever is there by now."""
        if now >= self._look_at:
            self._look_at = now + LOOK_S
            self._pulls.offer(lambda sha256: self._holders(sha256, self._anyone.get(sha256, False)))
        return self._pulls.requests(now)

    def complete(self) -> list[RequestedSpec]:
        """Return the specs whose artifacts are all here; they wait no more."""
        done = [
            requested
            for requested in self._waiting.values()
            if not any(
                self._pulls.pulls(requested.spec.deployment, part.sha256)
                for part in requested.bundle.partitions
            )
        ]
        for requested in done:
            self.drop(requested.spec.deployment)
        return done

    def hopeless(self, now: float) -> tuple[list[tuple[Spec, str]], list[tuple[Spec, str]]]:
        """Return the specs that nobody supplies, and why: those given up now, and those that last.

        The latter are named once a reason. Their artifacts are asked for on and on, of whoever may
        have them by then; and so are those that no spec waits for.
        """
        lost = self._pulls.hopeless(now, PULL_PATIENCE_S)
        refused, lasting = [], []
        for name, requested in list(self._waiting.items()):
            reasons = lost.get(name, {})
            part = next((p for p in requested.bundle.partitions if p.sha256 in reasons), None)
            if part is None:
                continue
            reason = f"partition {part.id}: {reasons[part.sha256]}"
            if not requested.lasts:
                self.drop(name)
                refused.append((requested.spec, reason))
            elif self._told.get(name) != reason:
                self._told[name] = reason
                lasting.append((requested.spec, reason))
        for name in lost.keys() & self._waiting.keys():
            again = self._waiting[name]
            self._fetch(name, again.bundle, anyone=again.lasts)
        return refused, lasting
