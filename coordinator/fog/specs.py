"""The specs of a site: taken up, refused, or put right where they are none; pure."""

from collections.abc import Mapping

from broker.actions import Publish
from broker.messages import Spec
from broker.payload import MessageError
from broker.topics import SPEC
from coordinator.fog.actions import Action
from coordinator.fog.deployment import Deployment
from coordinator.fog.failures import Failures
from coordinator.fog.publishing import Publishing
from coordinator.fog.requested import RequestedSpecs, SpecError
from coordinator.fog.wishes import Wishes


class Specs:
    """What becomes of the specs that operators write; ``deployments`` are those whose spec was good."""

    def __init__(
        self,
        site: str,
        deployments: Mapping[str, Deployment],
        requested: RequestedSpecs,
        publishing: Publishing,
        failures: Failures,
    ) -> None:
        self._site, self._deployments = site, deployments
        self._requested, self._publishing, self._failures = requested, publishing, failures
        self.wishes = Wishes()

    def want(self, name: str, payload: bytes, now: float, *, acting: bool) -> list[Action]:
        """Take what is wanted of a deployment; until we are ``acting`` it is only kept.

        Raises:
            MessageError: it is not a spec of this deployment, and not ours to put right.
        """
        deployment = self._deployments.get(name)
        known = max(self._requested.revision(name), deployment.spec.revision if deployment else -1)
        try:
            spec = self.wishes.read(name, payload)
        except MessageError as error:
            if not acting:
                raise
            self._failures.note("could_not_decode", f"the spec of {name}: {error}")
            return self._good(name)
        if spec.revision <= known:
            return []  # our own echo, or a spec that a later one has overtaken
        if not acting:
            self.wishes.keep(spec)
            return []
        return self.take_up(spec, now, lasts=False)

    def take_up(self, spec: Spec, now: float, *, lasts: bool) -> list[Action]:
        """Fetch what a spec needs, or refuse it."""
        try:
            self._requested.admit(spec, now, lasts=lasts)
        except SpecError as error:
            return self.refuse(spec, str(error))
        return [*self._publishing.phase(spec, "fetching")]

    def refuse(self, spec: Spec, reason: str) -> list[Action]:
        """Say why not; what cannot be had is not wanted for ever: the last good spec stands again."""
        return [
            *self._good(spec.deployment),
            *self._publishing.phase(spec, "failed", reason),
        ]

    def give_up(self, now: float) -> list[Action]:
        """Refuse the new specs whose artifacts nobody supplies, and tell of those that are not ours to refuse."""
        refused, lasting = self._requested.hopeless(now)
        actions = [action for spec, reason in refused for action in self.refuse(spec, reason)]
        for spec, reason in lasting:
            actions += self._publishing.phase(spec, "waiting", reason)
        return actions

    def _good(self, name: str) -> list[Action]:
        """Return what has the last good spec stand, or none at all."""
        deployment = self._deployments.get(name)
        if deployment is None:
            self.wishes.clears(name)
        good = deployment.spec.encode() if deployment else b""
        return [Publish(SPEC.at(self._site, deployment=name), good, retain=True)]
