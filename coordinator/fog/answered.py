"""What a deployment answered lately, from the totals in its fog nodes' beats; pure."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

from broker.messages import Beat
from coordinator.fog.pulse import HeardBeat, Pulse, growing, growth


@dataclass(frozen=True, slots=True)
class Answered:
    """The answers of some seconds, over all nodes that fused: the first's and its standby's.

    ``missing`` is how often by tensor, ``by_node`` the answers by fog node; ``lasting`` and ``busy``
    say between how many pairs of beats these grew: what grew once may have been a hiccup. ``span_s``
    is the longest time between the beats that this was read from, 0 when there were not two.
    """

    answers: int
    incomplete: int
    missing: Mapping[str, int]
    lasting: Mapping[str, int]
    by_node: Mapping[str, int]
    busy: Mapping[str, int]
    frames_per_s: float
    response_s: float | None
    span_s: float

    @property
    def share_incomplete(self) -> float:
        """The share of the answers without some branch."""
        return min(1.0, self.incomplete / self.answers) if self.answers else 0.0


def answered(deployment: str, pulses: Mapping[str, Pulse], start: float, now: float) -> Answered:
    """Return what was answered from ``start`` on; a node that fell silent has no part in it."""
    missing: Counter[str] = Counter()
    by_node: Counter[str] = Counter()
    lasting: Counter[str] = Counter()
    busy: dict[str, int] = {}
    incomplete, frames_per_s, span_s = 0, 0.0, 0.0
    responses: dict[str, list[float]] = {}
    for node, pulse in pulses.items():
        beats = pulse.within(start) if pulse.recent(now) else []
        if len(beats) < 2:
            continue
        span = beats[-1].at - beats[0].at
        answers = growth(beats, _answers(deployment))
        by_node[node] = answers
        incomplete += growth(beats, _incomplete(deployment))
        busy[node] = growing(beats, _answers(deployment))
        for tensor in beats[-1].beat.missing.get(deployment, {}):
            total = _missing(deployment, tensor)
            missing[tensor] += growth(beats, total)
            lasting[tensor] = max(lasting[tensor], growing(beats, total))
        if span > 0:
            frames_per_s += answers / span
            span_s = max(span_s, span)
        responses[node] = _responses(deployment, beats)
    most = max(by_node, key=lambda node: (by_node[node], node), default="")
    return Answered(
        answers=by_node.total(),
        incomplete=incomplete,
        missing={tensor: count for tensor, count in sorted(missing.items()) if count},
        lasting=dict(lasting),
        by_node=dict(by_node),
        busy=busy,
        frames_per_s=frames_per_s,
        response_s=median(responses[most]) if by_node[most] and responses[most] else None,
        span_s=span_s,
    )


def _answers(deployment: str) -> Callable[[Beat], int]:
    return lambda beat: beat.answers.get(deployment, 0)


def _incomplete(deployment: str) -> Callable[[Beat], int]:
    return lambda beat: beat.incomplete.get(deployment, 0)


def _missing(deployment: str, tensor: str) -> Callable[[Beat], int]:
    return lambda beat: beat.missing.get(deployment, {}).get(tensor, 0)


def _responses(deployment: str, beats: list[HeardBeat]) -> list[float]:
    said = (heard.beat.response_s.get(deployment) for heard in beats)
    return [seconds for seconds in said if seconds is not None]
