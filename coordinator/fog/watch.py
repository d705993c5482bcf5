"""Watches what the fog nodes' beats say of what is served, and finds who does less than it should; pure.

Found out so: a node that hears the broker late or not at all (at once), one whose processor takes
longer than expected (3 or 4 beats), and one whose results come too late (2 beats). Nothing is held against
anyone for what an interruption of ours, or of the broker, may have caused, nor shortly after a switch.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from broker.messages import Beat, NodeInfo
from coordinator.fog.lateness import late
from coordinator.fog.links import slow_links
from coordinator.fog.penalty import FIRST_S
from coordinator.fog.pulse import Pulse
from coordinator.fog.rate import STEP
from coordinator.fog.served import Served
from coordinator.fog.slowness import (
    FAR_TOO_SLOW,
    LOOK_BACK_S,
    Run,
    ratio,
    ratios,
    recovered,
    slow_factor,
    usual,
)
from coordinator.fog.traffic import Traffic
from coordinator.fog.verdicts import Cause, Verdict, Verdicts

DEAF_S: Final = 1.5
"""A node that the broker reaches this late is not to be used ..."""
HEARING_S: Final = 0.3
"""... until it is reached this soon again."""
QUIET_S: Final = 1.6
"""When nobody at all was heard for so long, it was the broker or us who paused."""
FAIR_S: Final = 1.5
"""So long after such a pause what nodes say may still come from it."""
SWITCH_S: Final = 2.0
"""So long after a switch of epochs the answers are of both, and nodes were busy loading."""
LATE_WINDOW_S: Final = 5.5
LEAST_ANSWERS: Final = 20
LONGEST_WINDOW_S: Final = 20.0
"""Where a few seconds bring too few answers to judge by, more are looked at."""
LOOK_S: Final = 0.5
BUSY: Final = 0.8
"""A node that computes for this share of the time is overloaded, and late for no fault of its own."""


class Watch:
    """What the beats of a site's fog nodes say, and what is held against whom."""

    def __init__(self) -> None:
        self._pulses: dict[str, Pulse] = {}
        self._served: dict[str, Served] = {}
        self.traffic = Traffic(self._pulses)
        self._verdicts = Verdicts()
        self._deaf: set[str] = set()
        self._heard_at: float | None = None
        self._fair_from = 0.0
        self._look_at = 0.0

    # --- what happens -----------------------------------------------------------------------

    def serve(self, deployment: str, epoch: Served | None) -> None:
        """Take note of the epoch that serves now; None: the deployment is gone."""
        if epoch is not None:
            self._served[deployment] = epoch
            self.traffic.fuse(deployment, epoch.fusion)
        else:
            self._served.pop(deployment, None)
            self.traffic.forget(deployment)

    def forgive(self, now: float) -> None:
        """Take note that we did not hear for a while: what comes now may be old."""
        self._fair_from = now + FAIR_S
        self._heard_at = None

    def forget(self, node: str) -> None:
        """Forget a node."""
        self._pulses.pop(node, None)
        self._deaf.discard(node)
        self._verdicts.forget(node)

    def beat(self, node: str, beat: Beat, now: float) -> None:
        """Take a node's beat."""
        if self._heard_at is not None and now - self._heard_at > QUIET_S:
            self._fair_from = now + FAIR_S
        self._heard_at = now
        pulse = self._pulses.setdefault(node, Pulse())
        session = pulse.session
        if not pulse.take(beat, now):
            return
        if pulse.session != session:
            self._verdicts.forget(node)
        self.traffic.answers(node, beat.answers.keys() & self._served.keys())
        (self._deaf.add if beat.echo_s >= DEAF_S else self._deaf.discard)(node)
        verdict = self._verdicts.standing(node, Cause.DEAF, now)
        if verdict is not None and beat.echo_s >= HEARING_S:
            self._verdicts.go_on(verdict, node, now + FAIR_S)
        self._look_for_slowness(node, pulse, now)

    def judge(self, now: float) -> None:
        """Find out who does less than it should; call it several times a second."""
        self.traffic.measure(now)
        if self._deaf and now >= self._fair_from:
            self._look_for_deafness(now)
        if now >= self._look_at:
            self._look_at = now + LOOK_S
            for deployment in self._served:
                self._look_for_lateness(deployment, now)
                self._look_for_slow_links(deployment, now)

    # --- what follows -----------------------------------------------------------------------

    def unused(self, alive: Mapping[str, NodeInfo], now: float) -> dict[str, str]:
        """Return the nodes not to be used and why; where that would be all, the best is used."""
        found = {
            node: [verdict for verdict in against if verdict.cause is not Cause.SLOW]
            for node, against in self._against(alive, now)
        }
        found = {node: against for node, against in found.items() if against}
        if found and len(found) == len(alive):
            del found[min(found, key=lambda node: (self._echo_s(node), len(found[node]), node))]
        return {node: "; ".join(v.reason for v in against) for node, against in found.items()}

    def factors(self, alive: Mapping[str, NodeInfo], now: float) -> dict[str, float]:
        """Return by slow node how many times longer than expected its partitions take."""
        return {
            node: verdict.factor
            for node, against in self._against(alive, now)
            for verdict in against
            if verdict.cause is Cause.SLOW
        }

    def slow(self, node: str, now: float) -> bool:
        """Return whether a node is known to take longer than expected."""
        return self._verdicts.standing(node, Cause.SLOW, now) is not None

    def usual_runs(self, now: float) -> Iterator[Run]:
        """Yield what the runs of the partitions that serve take, but for those of slow nodes."""
        for node, pulse in self._pulses.items():
            here = {name: e for name, e in self._served.items() if node in e.nodes}
            if here and pulse.recent(now) and not self.slow(node, now):
                since = max(epoch.since for epoch in here.values()) + SWITCH_S
                yield from usual(node, pulse, here, max(since, self._fair_from, now - LOOK_BACK_S))

    def reasons(self, alive: Mapping[str, NodeInfo], now: float) -> dict[str, str]:
        """Return for people what stands against which node."""
        return {
            node: "; ".join(verdict.reason for verdict in against)
            for node, against in self._against(alive, now)
        }

    def _against(
        self, alive: Mapping[str, NodeInfo], now: float
    ) -> Iterator[tuple[str, list[Verdict]]]:
        for node in self._verdicts.nodes():
            if node in alive and (
                against := self._verdicts.against(node, alive[node].session, now)
            ):
                yield node, against

    # --- looking ----------------------------------------------------------------------------

    def _look_for_deafness(self, now: float) -> None:
        heard = {node for node, pulse in self._pulses.items() if pulse.recent(now)}
        deaf = self._deaf & heard
        if 2 * len(deaf) > len(heard):
            # Most of them at once: it is the broker that is late, and no other node would do better.
            self._verdicts.take_back(Cause.DEAF, deaf, now, LATE_WINDOW_S)
            return
        for node in sorted(deaf):
            pulse = self._pulses[node]
            reason = f"hears the broker {pulse.latest.echo_s:.1f} s late"
            self._verdicts.give(node, pulse.session, Cause.DEAF, reason, now)

    def _look_for_slowness(self, node: str, pulse: Pulse, now: float) -> None:
        here = {name: e for name, e in self._served.items() if node in e.nodes}
        if not here:
            return
        since = max(epoch.since for epoch in here.values()) + SWITCH_S
        start = max(since, self._fair_from, now - LOOK_BACK_S)
        latest = ratios(node, pulse, here, start)
        factor = slow_factor(latest)
        verdict = self._verdicts.standing(node, Cause.SLOW, now)
        if verdict is not None and recovered(latest):
            self._verdicts.lift(node, Cause.SLOW, now)
        elif verdict is not None and factor is not None:
            changed = not verdict.factor / STEP <= factor <= verdict.factor * STEP
            self._verdicts.go_on(verdict, node, now + FIRST_S, factor if changed else None)
        elif factor is not None:
            reason = f"takes {factor:.1f} times as long as expected"
            self._verdicts.give(node, pulse.session, Cause.SLOW, reason, now, factor=factor)

    def _look_for_lateness(self, deployment: str, now: float) -> None:
        epoch = self._served[deployment]
        fair_from = max(epoch.since + SWITCH_S, self._fair_from)
        answers = self.traffic.answered(deployment, max(fair_from, now - LATE_WINDOW_S), now)
        if answers.answers < LEAST_ANSWERS:
            answers = self.traffic.answered(deployment, max(fair_from, now - LONGEST_WINDOW_S), now)
        for node, reason in late(epoch, answers, self._suspicion):
            if node in self._pulses and not self._overloaded(node):
                session = self._pulses[node].session
                self._verdicts.give(node, session, Cause.LATE, reason, now)

    def _look_for_slow_links(self, deployment: str, now: float) -> None:
        epoch = self._served[deployment]
        start = max(epoch.since + SWITCH_S, self._fair_from)
        echoes = {
            node: [heard.beat.echo_s for heard in self._pulses[node].within(start)]
            for node in {*epoch.nodes, *epoch.fusion} & self._pulses.keys()
            if self._pulses[node].recent(now)
            and self._verdicts.standing(node, Cause.DEAF, now) is None
        }
        for node, echo_s in slow_links(echoes, epoch.predicted_s).items():
            reason = f"its link is slow: hears the broker {echo_s:.1f} s late"
            self._verdicts.give(node, self._pulses[node].session, Cause.LATE, reason, now)

    def _echo_s(self, node: str) -> float:
        return self._pulses[node].latest.echo_s if node in self._pulses else 0.0

    def _suspicion(self, node: str) -> float:
        echo_s = self._echo_s(node)
        return echo_s if echo_s >= HEARING_S else 0.0

    def _overloaded(self, node: str) -> bool:
        """Return whether a node takes as long as expected for a run, and has too many of them."""
        beat = self._pulses[node].latest
        slower = ratio(node, beat, self._served)
        if slower is not None and slower >= FAR_TOO_SLOW:
            return False
        return self.traffic.busy(beat) >= BUSY
