"""Specs that wait for their artifacts; pure."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from broker.artifact_pulls import ArtifactPulls
from broker.codec import MAX_TENSOR_BYTES, Chunk
from broker.messages import ArtifactRequest, Spec
from models.bundle import Bundle

PULL_PATIENCE_S: Final = 20.0
TURN_S: Final = 2.0
"""So long without anything, and the next one is asked who may have an artifact."""


class SpecError(ValueError):
    """A spec that cannot be served, in one sentence that names the field."""


def bundle_of(spec: Spec) -> Bundle:
    """Return the bundle that a spec asks for.

    Raises:
        SpecError: it is not valid, or one of its tensors does not fit into a message.
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


@dataclass(slots=True)
class _Search:
    """One artifact and who may have it, asked in turn; empty: the client that deploys."""

    size: int
    from_client: bool
    turn: int = 0
    progressed_at: float | None = None
    """When something of it came last, or it was asked for first."""


class RequestedSpecs:
    """The specs whose artifacts are being fetched; ``has`` tells whether one is kept already.

    An artifact of a new spec is with the client that deploys it; ``holders`` are the fog nodes that may
    have one. They are asked in turn until something comes.
    """

    def __init__(self, has: Callable[[str], bool], holders: Callable[[str], list[str]]) -> None:
        self._has, self._holders = has, holders
        self._pulls = ArtifactPulls()
        self._waiting: dict[str, tuple[Spec, Bundle]] = {}
        self._searches: dict[str, _Search] = {}

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
        self._fetch(bundle, from_client=True)

    def fetch_again(self, bundle: Bundle) -> None:
        """Fetch what is missing of a bundle that was here before: the fog nodes have it too."""
        self._fetch(bundle, from_client=False)

    def _fetch(self, bundle: Bundle, *, from_client: bool) -> None:
        for part in bundle.partitions:
            if part.sha256 not in self._pulls and not self._has(part.sha256):
                search = self._searches[part.sha256] = _Search(part.bytes, from_client)
                self._ask(part.sha256, search)

    def _ask(self, sha256: str, search: _Search) -> None:
        """Ask the next one who may have an artifact."""
        candidates = [""] if search.from_client else []
        candidates += self._holders(sha256)
        holder = candidates[search.turn % len(candidates)] if candidates else ""
        search.turn += 1
        self._pulls.end([sha256])
        self._pulls.begin(sha256, search.size, holder)

    def drop(self, deployment: str) -> None:
        """Want a spec no more."""
        self._waiting.pop(deployment, None)

    def accept(self, chunk: Chunk, now: float) -> bytes | None:
        """Take a chunk; return the artifact when it is whole."""
        if chunk.sha256 in self._searches:
            self._searches[chunk.sha256].progressed_at = now
        data = self._pulls.accept(chunk, now)
        if data is not None:
            self._searches.pop(chunk.sha256, None)
        return data

    def requests(self, now: float) -> list[ArtifactRequest]:
        """Return what to ask for now."""
        for sha256 in self._pulls.hopeless(now, TURN_S):
            if sha256 in self._searches:
                self._ask(sha256, self._searches[sha256])
        requests = self._pulls.requests(now)
        for request in requests:
            search = self._searches.get(request.sha256)
            if search is not None and search.progressed_at is None:
                search.progressed_at = now
        return requests

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
        """Return the specs that nobody supplies, and why; they wait no more."""
        lost = {
            sha256
            for sha256, search in self._searches.items()
            if search.progressed_at is not None and now - search.progressed_at >= PULL_PATIENCE_S
        }
        corrupt = self._pulls.hopeless(now, math.inf)
        refused = []
        for spec, bundle in list(self._waiting.values()):
            for part in bundle.partitions:
                if part.sha256 in lost or part.sha256 in corrupt:
                    reason = corrupt.get(part.sha256, "nobody sent the artifact")
                    refused.append((spec, f"partition {part.id}: {reason}"))
                    del self._waiting[spec.deployment]
                    break
        return refused

    def end_others(self, wanted: set[str]) -> None:
        """Fetch nothing but these."""
        gone = [sha256 for sha256 in self._pulls.hashes if sha256 not in wanted]
        self._pulls.end(gone)
        for sha256 in gone:
            self._searches.pop(sha256, None)
