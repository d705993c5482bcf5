"""What all deployments of a site answer: measured of late, and the rates to place them for; pure."""

from collections.abc import Iterable, Mapping
from typing import Final

from broker.messages import Beat, Measured
from coordinator.fog.answered import Answered, answered
from coordinator.fog.pulse import Pulse
from coordinator.fog.rate import Rate
from evolution.placement.shared import Cameras

MEASURED_WINDOW_S: Final = 5.5
FULL_WINDOW_S: Final = 4.0
"""Beats that lie less far apart do not make a rate."""
SAMPLE_S: Final = 1.0
CAMERAS_MOST: Final = 64
"""More make no other stream."""
_FUSIONS: Final = 16
FASTEST: Final = 1e5
"""Frames per second; no fog answers more, whatever a node says."""


class Traffic:
    """The answers of every deployment, read from the pulses of the nodes that ever gave some."""

    def __init__(self, pulses: Mapping[str, Pulse]) -> None:
        self._pulses = pulses
        self._answering: dict[str, set[str]] = {}
        self._fusing: dict[str, dict[str, None]] = {}
        self._rates: dict[str, Rate] = {}
        self._measured: dict[str, Measured] = {}
        self._sample_at = 0.0

    def answers(self, node: str, deployments: Iterable[str]) -> None:
        """Take note that a node says it answers for these; that counts where its fusion was given to it."""
        for deployment in deployments:
            if node in self._fusing.get(deployment, ()):
                self._answering.setdefault(deployment, set()).add(node)

    def fuse(self, deployment: str, nodes: Iterable[str]) -> None:
        """Take note of the nodes that answer for a deployment from now on; those before them may still."""
        fusing = self._fusing.setdefault(deployment, {})
        for node in nodes:
            fusing.pop(node, None)
            fusing[node] = None
        while len(fusing) > _FUSIONS:
            gone = next(iter(fusing))
            del fusing[gone]
            self._answering.get(deployment, set()).discard(gone)

    def forget(self, deployment: str) -> None:
        """Forget a deployment."""
        for known in (self._answering, self._fusing, self._rates, self._measured):
            known.pop(deployment, None)

    def answered(self, deployment: str, start: float, now: float) -> Answered:
        """Return what was answered from ``start`` on."""
        return answered(deployment, self._of(deployment), start, now)

    def measure(self, now: float) -> None:
        """Take the figures of the last seconds, once a second; call it more often."""
        if now < self._sample_at:
            return
        self._sample_at = now + SAMPLE_S
        for deployment in self._answering:
            answers = self.answered(deployment, now - MEASURED_WINDOW_S, now)
            if answers.span_s >= FULL_WINDOW_S:
                rate = self._rates.setdefault(deployment, Rate())
                rate.sample(min(answers.frames_per_s, FASTEST), now)
            if not answers.answers or answers.response_s is None:
                self._measured.pop(deployment, None)
                continue
            self._measured[deployment] = Measured(
                response_s=answers.response_s,
                frames_per_s=min(answers.frames_per_s, FASTEST),
                incomplete=answers.share_incomplete,
            )

    def measured(self, deployment: str) -> Measured | None:
        """Return what a deployment reached in the last seconds, None where nothing was answered."""
        return self._measured.get(deployment)

    def rate(self, deployment: str) -> Rate:
        """Return the frames per second that a deployment is known to serve."""
        return self._rates.get(deployment, Rate())

    def cameras(self, deployment: str, now: float) -> Cameras | None:
        """Return the cameras whose frames a deployment answers, None before there were frames."""
        lately = self.rate(deployment).lately
        if lately is None:
            return None
        counts = [
            pulse.latest.cameras.get(deployment, 0)
            for pulse in self._of(deployment).values()
            if pulse.recent(now)
        ]
        return Cameras(float(f"{lately:.3g}"), max(1, min(CAMERAS_MOST, max(counts, default=0))))

    def _of(self, deployment: str) -> dict[str, Pulse]:
        """Return the pulses of the nodes that ever answered for a deployment."""
        nodes = sorted(self._answering.get(deployment, set()) & self._pulses.keys())
        return {node: self._pulses[node] for node in nodes}

    def busy(self, beat: Beat) -> float:
        """Return for which share of the time a node computes, by its beat and the frames served."""
        return sum(
            seconds * measured.frames_per_s
            for deployment, partitions in beat.seconds.items()
            if (measured := self._measured.get(deployment)) is not None
            for seconds in partitions.values()
        )
