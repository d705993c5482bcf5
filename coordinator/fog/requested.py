"""Specs that wait for their artifacts; pure."""

from collections.abc import Callable
from typing import Final

from pydantic import ValidationError

from broker.artifact_pulls import ArtifactPulls
from broker.codec import MAX_TENSOR_BYTES, Chunk
from broker.messages import ArtifactRequest, Spec
from models.bundle import Bundle

PULL_PATIENCE_S: Final = 20.0


class SpecError(ValueError):
    """A spec that cannot be served, in one sentence that names the field."""


def bundle_of(spec: Spec) -> Bundle:
    """Return the bundle that a spec asks for.

    Raises:
        SpecError: it is none, or one of its tensors does not fit into a message.
    """
    try:
        bundle = Bundle.model_validate(spec.bundle)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise SpecError(f"bundle.{field}: {first['msg']}") from None
    for tensor in bundle.tensors:
        if tensor.bytes > MAX_TENSOR_BYTES:
            raise SpecError(
                f"bundle.tensors.{tensor.id}: {tensor.bytes} bytes; "
                f"a message carries at most {MAX_TENSOR_BYTES}"
            )
    return bundle


class RequestedSpecs:
    """The specs whose artifacts are being fetched; ``has`` tells whether one is kept already.

    ``holders`` are the fog nodes that have an artifact; without any, the client that deploys is asked.
    """

    def __init__(
        self, has: Callable[[str], bool], holders: Callable[[str], list[str]] = lambda _: []
    ) -> None:
        self._has, self._holders = has, holders
        self._pulls = ArtifactPulls()
        self._waiting: dict[str, tuple[Spec, Bundle]] = {}
        self._tried: dict[str, int] = {}
        self._sizes: dict[str, int] = {}

    def __len__(self) -> int:
        """Return how many artifacts are being fetched."""
        return len(self._pulls)

    @property
    def bundles(self) -> list[Bundle]:
        """The bundles that are wanted."""
        return [bundle for _, bundle in self._waiting.values()]

    def revision(self, deployment: str) -> int:
        """Return the revision that waits, -1 if none does."""
        return self._waiting[deployment][0].revision if deployment in self._waiting else -1

    def add(self, spec: Spec, bundle: Bundle) -> None:
        """Have a spec wait until all of its artifacts are here."""
        self._waiting[spec.deployment] = (spec, bundle)
        self.fetch(bundle)

    def fetch(self, bundle: Bundle) -> None:
        """Fetch what is missing of a bundle, from whoever has it."""
        for part in bundle.partitions:
            if not self._has(part.sha256):
                self._begin(part.sha256, part.bytes)

    def _begin(self, sha256: str, size: int) -> None:
        holders = self._holders(sha256)
        tried = self._tried.get(sha256, 0)
        self._tried[sha256], self._sizes[sha256] = tried + 1, size
        self._pulls.begin(sha256, size, holders[tried % len(holders)] if holders else "")

    def drop(self, deployment: str) -> None:
        """Want a spec no more."""
        self._waiting.pop(deployment, None)

    def accept(self, chunk: Chunk, now: float) -> bytes | None:
        """Take a chunk; return the artifact when it is whole."""
        data = self._pulls.accept(chunk, now)
        if data is not None:
            self._tried.pop(chunk.sha256, None)
        return data

    def requests(self, now: float) -> list[ArtifactRequest]:
        """Return what to ask for now."""
        return self._pulls.requests(now)

    def complete(self) -> list[tuple[Spec, Bundle]]:
        """Return the specs whose artifacts are all here; they wait no more."""
        done = [
            (spec, bundle)
            for spec, bundle in self._waiting.values()
            if not any(part.sha256 in self._pulls for part in bundle.partitions)
        ]
        for spec, _ in done:
            del self._waiting[spec.deployment]
        return done

    def hopeless(self, now: float) -> list[tuple[Spec, str]]:
        """Return the specs that nobody supplies, and why; they wait no more.

        Of a hopeless artifact that another fog node holds that one is asked next.
        """
        lost = self._pulls.hopeless(now, PULL_PATIENCE_S)
        for sha256 in list(lost):
            if self._tried.get(sha256, 0) < len(self._holders(sha256)):
                size = self._sizes[sha256]
                self._pulls.end([sha256])
                self._begin(sha256, size)
                del lost[sha256]
        refused = []
        for spec, bundle in list(self._waiting.values()):
            part = next((p for p in bundle.partitions if p.sha256 in lost), None)
            if part is not None:
                del self._waiting[spec.deployment]
                refused.append((spec, f"partition {part.id}: {lost[part.sha256]}"))
        return refused

    def end_others(self, wanted: set[str]) -> None:
        """Pull nothing but these."""
        self._pulls.end([sha256 for sha256 in self._pulls.hashes if sha256 not in wanted])
