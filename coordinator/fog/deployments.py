"""All deployments of a site: what is wanted, what serves, and what is published of it; pure."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from broker.access.trust import Trust
from broker.actions import Publish
from broker.codec import Chunk
from broker.epoch_order import epoch_after, is_later
from broker.messages import Assignment, Report, Spec
from broker.topics import COORDINATOR_GET
from coordinator.fog.actions import Action, Keep, Place, Save
from coordinator.fog.decisions import Decisions
from coordinator.fog.deployment import Deployment
from coordinator.fog.failures import Failures
from coordinator.fog.fleet import Fleet
from coordinator.fog.learning import Learning
from coordinator.fog.placing import Placed
from coordinator.fog.publishing import Publishing
from coordinator.fog.quarantine import Quarantine
from coordinator.fog.recovery import Heard
from coordinator.fog.requested import RequestedSpecs
from coordinator.fog.resumption import resumption
from coordinator.fog.saved_state import remembered, restored, saved
from coordinator.fog.specs import Specs
from coordinator.fog.surroundings import Surroundings
from coordinator.fog.watch import Watch
from models.bundle import Bundle

OVERTAKEN_S: Final = 10.0
"""So often at most the epochs of others make us place a deployment anew."""


class Deployments:
    """The deployments on a fleet; ``has`` tells whether an artifact of a hash and size is kept.

    Until :meth:`begin` it takes note of what is wanted and does nothing about it.
    """

    def __init__(
        self,
        site: str,
        fleet: Fleet,
        watch: Watch,
        has: Callable[[str, int], bool],
        failures: Failures,
        *,
        wall_s: float,
        trust: Trust,
    ) -> None:
        self._site, self._fleet, self._watch = site, fleet, watch
        self._wall_s = wall_s
        self._by_name: dict[str, Deployment] = {}
        self._failures = failures
        self._acting = False
        self._quarantine = Quarantine(60.0, failures)
        self._numbered_at: dict[str, float] = {}
        self.requested = RequestedSpecs(
            has,
            lambda sha256, anyone: self.heard.holders(sha256, fleet.online, anyone=anyone),
            trust,
        )
        self._learning = Learning(fleet, watch)
        self.publishing = Publishing(site, wall_s)
        self.specs = Specs(site, self._by_name, self.requested, self.publishing, failures)
        self.heard = Heard()

    def get(self, name: str) -> Deployment | None:
        """Return a deployment."""
        return self._by_name.get(name)

    @property
    def names(self) -> list[str]:
        """The deployments whose spec was good, and those whose artifacts are fetched."""
        return [*self._by_name, *self.requested.names]

    def restore(self, state: Mapping[str, Any]) -> None:
        """Know what :class:`~coordinator.fog.actions.Save` kept.

        Raises:
            ValueError: it is not what was kept; nothing of it is taken up.
        """
        deployments = restored(state)
        self._fleet.restore(remembered(state))
        self._by_name.update({deployment.name: deployment for deployment in deployments})

    def connected(self) -> None:
        """Take note of a new connection: echoes of what was sent before do not come any more."""
        self.specs.wishes.connected()
        self.publishing.retained.connected()

    def wait_longer(self, now: float) -> None:
        """Give all nodes that prepare all of their time again."""
        for deployment in self._by_name.values():
            deployment.wait_longer(now)

    def progressed(self, node: str, now: float) -> None:
        """Take note that a fog node got further with what it fetches and loads."""
        for deployment in self._by_name.values():
            deployment.progressed(node, now)

    def forget(self, node: str) -> list[Publish]:
        """Forget a fog node that is gone for good: what it left was cleared."""
        self.heard.forget_node(node)
        for deployment in self._by_name.values():
            deployment.forget(node)
        return self.publishing.forget(node)

    def reported(self, node: str, report: Report, now: float) -> list[Action]:
        """Take a fog node's report."""
        self.heard.reported(node, report, numbers=not self._acting)
        deployment = self._by_name.get(report.deployment)
        if deployment is None or node not in deployment.assigned:
            return []
        runs = [part for epoch in deployment.epochs for part in epoch.all_on(node)]
        # What a slow node measures is not what its hardware takes.
        hashes = {} if self._watch.slow(node, now) else {part.id: part.sha256 for part in runs}
        self._fleet.report(node, report, hashes)
        decided = deployment.reported(node, report, self._fleet.usual_s, now)
        return self._carry_out(deployment, decided)

    def asked(self, name: str, number: int) -> None:
        """Take note of the number that the placer gave a question."""
        if name in self._by_name:
            self._by_name[name].asked(number)

    def placed(self, answer: Placed, now: float) -> list[Action]:
        """Take the placer's answer."""
        deployment = self._by_name.get(answer.key)
        if deployment is None:
            return []
        known = Surroundings(self._fleet, self._watch, self._by_name, self.requested, now).of(
            deployment
        )
        with self._quarantine.guard(answer.key, deployment.spec.revision, now):
            return self._carry_out(deployment, deployment.placed(answer, known, now))
        return []

    def want(self, name: str, payload: bytes, now: float) -> list[Action]:
        """Take what is wanted of a deployment; empty: that it ends.

        Raises:
            MessageError: it is not a spec of this deployment.
        """
        if not payload:
            return [] if self.specs.wishes.is_echo(name) else self._undeploy(name, now)
        return self.specs.want(name, payload, now, acting=self._acting)

    def accept(self, chunk: Chunk, now: float) -> list[Action]:
        """Take a chunk of an artifact."""
        data = self.requested.accept(chunk, now)
        kept: list[Action] = [] if data is None else [Keep(data)]
        return kept + self.requests(now)

    def lost(self, sha256: str, now: float) -> list[Action]:
        """Fetch an artifact again that is missing or corrupt here: the fog nodes have it too."""
        for bundle in self._bundles():
            if any(part.sha256 == sha256 for part in bundle.partitions):
                self.requested.fetch(bundle)
        return self.requests(now)

    def requests(self, now: float) -> list[Action]:
        """Return the requests for chunks that are next, or late."""
        topic = COORDINATOR_GET.at(self._site)
        return [Publish(topic, request.encode()) for request in self.requested.requests(now)]

    def begin(self, now: float) -> list[Action]:
        """Begin to act: go on with what serves, known from our folder or from what the site retains."""
        self._acting, early = True, self.specs.wishes.begin()
        self._learning.recall(self.heard)
        actions: list[Action] = []
        for name in sorted(self.specs.wishes.ended & self.heard.active.keys()):
            actions += self._undeploy(name, now)  # nobody did while nobody acted
        for name in sorted({*self._by_name, *early}):
            with self._quarantine.guard(name, None, now):
                actions += self._resume(name, early.get(name), now)
        return [*actions, self._save()]

    def step(self, now: float) -> list[Action]:
        """Return what follows from what is known; call it whenever something changed."""
        actions = self._fetched(now)
        actions += self.publishing.assign_again(self._fleet.alive(now))
        surroundings = Surroundings(self._fleet, self._watch, self._by_name, self.requested, now)
        for name, deployment in self._by_name.items():
            revision = deployment.spec.revision
            if self._quarantine.holds(name, revision, now):
                continue
            with self._quarantine.guard(name, revision, now):
                self._number(deployment, now)
                decided = deployment.step(surroundings.of(deployment), now)
                actions += self._carry_out(deployment, decided)
        return actions

    def _number(self, deployment: Deployment, now: float) -> None:
        """Take note of an epoch of somebody else; of many the first, lest we place anew all the time."""
        name = deployment.name
        epoch = self.heard.epochs.get(name, 0)
        if is_later(epoch, deployment.last_epoch) and now >= self._numbered_at.get(name, now):
            self._numbered_at[name] = now + OVERTAKEN_S
            deployment.number_above(epoch)

    def assigned(self, node: str, assignment: Assignment) -> list[Publish]:
        """Take what somebody else assigned; what is no deployment of the site ends on the node at once."""
        self.heard.assigned(node, assignment)
        name = assignment.deployment
        ours = name in self._by_name or self.requested.revision(name) >= 0
        if not self._acting or ours or not assignment.partitions:
            return []
        return self.publishing.disown(node, name, assignment.epoch)

    def report(self, now: float) -> list[Action]:
        """Learn from what serves, and tell people how it fares, when that changed noticeably."""
        self._learning.learn(self._by_name, now)
        alive = self._fleet.alive(now)
        return [
            message
            for deployment in self._by_name.values()
            for message in self.publishing.figures(deployment, self._watch, alive, now)
        ]

    def _resume(self, name: str, newer: Spec | None, now: float) -> list[Action]:
        """Go on with one deployment."""
        known = self._by_name.pop(name, None)
        resumed = resumption(known, newer, self.heard, self._fleet, now)
        actions: list[Action] = []
        deployment = resumed.deployment
        if deployment is not None:
            self._by_name[name] = deployment
            self.requested.fetch(deployment.bundle)
            since = self.heard.serves_since(deployment.serving, self._wall_s)
            deployment.phase.serves_since(now if since is None else since)
            actions += self._carry_out(deployment, resumed.decided)
        if resumed.refused is not None:
            actions += self.specs.refuse(*resumed.refused)
        elif resumed.to_fetch is not None:
            actions += self.specs.take_up(resumed.to_fetch, now, lasts=resumed.lasts)
        elif deployment is not None:
            actions += self.publishing.want(deployment.spec)
        return actions

    def _fetched(self, now: float) -> list[Action]:
        """Take up the specs whose artifacts are here, and refuse new ones that nobody supplies."""
        actions = self.specs.give_up(now)
        for requested in self.requested.complete():
            spec, bundle = requested.spec, requested.bundle
            if spec.deployment in self._by_name:
                self._by_name[spec.deployment].revise(spec, bundle)
            else:
                self._by_name[spec.deployment] = Deployment(spec, bundle)
            actions += self.publishing.want(spec)
            actions.append(self._save())
        self.requested.stock([b for d in self._by_name.values() for b in d.bundles], now)
        return actions

    def _carry_out(self, deployment: Deployment, decided: Decisions) -> list[Action]:
        """Publish decisions: ``active`` first, for a frame of a new epoch finds its nodes ready."""
        name = deployment.name
        actions: list[Action] = []
        if decided.active is not None:
            actions += self.publishing.activate(decided.active)
            self._watch.serve(name, deployment.serving.served() if deployment.serving else None)
        actions += self.publishing.assign(decided.assignments)
        if decided.announce:
            actions += self.publishing.changed(deployment)
        if decided.question is not None:
            actions.append(Place(name, decided.question))
        return [*actions, self._save()] if decided.assignments else actions

    def _undeploy(self, name: str, now: float) -> list[Action]:
        """End a deployment; also what an earlier coordinator left."""
        if not self._acting:
            self._by_name.pop(name, None)
            self.specs.wishes.end(name)
            return []
        self.requested.drop(name)
        self._watch.serve(name, None)
        self.heard.forget(name)
        deployment = self._by_name.pop(name, None)
        last, heard = deployment.last_epoch if deployment else 0, self.heard.epochs.get(name, 0)
        epoch = self.heard.epochs[name] = epoch_after(heard if is_later(heard, last) else last)
        self.specs.wishes.clears(name)
        retire = Assignment(deployment=name, epoch=epoch, phase="retire")
        nodes = sorted(deployment.assigned if deployment else self._fleet.alive(now))
        retired = self.publishing.assign(dict.fromkeys(nodes, retire))
        return [*retired, *self.publishing.end(name), self._save()]

    def _bundles(self) -> list[Bundle]:
        """Return the bundles that are needed."""
        bundles = [bundle for of in self._by_name.values() for bundle in of.bundles]
        return bundles + self.requested.bundles

    def _save(self) -> Save:
        needed = frozenset(part.sha256 for bundle in self._bundles() for part in bundle.partitions)
        measured = {key: s for key, s in self._fleet.measured.items() if key[1] in needed}
        return Save(saved(self._by_name.values(), measured), needed)
