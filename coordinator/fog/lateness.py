"""Whose results come too late, by what a deployment's answers lack; pure.

A branch is missing when many answers lack it for ``SOON`` beats, or some for ``LASTING`` beats. Its maker is to
blame, or who makes what the maker needs. But where most makers are late at once, it is the node of the
fusion that does not get their tensors, if anyone; and where the standby gives most of the
answers, those of the first come too late.
"""

from collections.abc import Callable
from typing import Final

from coordinator.fog.answered import Answered
from coordinator.fog.served import Served

SOME: Final = 0.05
MANY: Final = 0.2
"""Shares of the answers."""
LEAST: Final = 3
SOON: Final = 2
LASTING: Final = 4
STOOD_IN_SHARE: Final = 0.5


def late(
    served: Served, answers: Answered, suspicion: Callable[[str], float]
) -> list[tuple[str, str]]:
    """Return the fog nodes whose results come too late, each with what is to be seen of it.

    ``suspicion`` tells how bad a node's own link looks; of several that a tensor passes the worst is
    blamed, where none stands out its maker.
    """
    if not answers.answers:
        return []
    first, standbys = served.fusion[0], served.fusion[1:]
    stood_in = sum(answers.by_node.get(node, 0) for node in standbys)
    if stood_in >= LEAST and stood_in > STOOD_IN_SHARE * answers.answers:
        if max(answers.busy.get(node, 0) for node in standbys) >= SOON:
            share = stood_in / answers.answers
            return [(first, f"its answers come too late: the standby gives {share:.0%} of them")]
        return []
    missing = {
        tensor: count / answers.answers
        for tensor, count in answers.missing.items()
        if tensor in served.chains and _is_missing(count, answers.lasting[tensor], answers.answers)
    }
    makers = {chain[0] for chain in served.chains.values()} - {first}
    late_makers = {served.chains[tensor][0] for tensor in missing} - {first}
    if len(late_makers) > 1 and 2 * len(late_makers) > len(makers):
        if min(answers.lasting[tensor] for tensor in missing) < LASTING and not suspicion(first):
            return []  # too many at once to be their fault, and too soon to be anyone's
        worst = max(missing.values())
        return [(first, f"the other nodes' results come too late to it ({worst:.0%} of them)")]
    found: dict[str, str] = {}
    for tensor, share in sorted(missing.items(), key=lambda item: (-item[1], item[0])):
        # max takes the first of equals: the maker.
        node = max(served.chains[tensor], key=suspicion)
        found.setdefault(
            node, f"its results come too late: {share:.0%} of the answers lack {tensor}"
        )
    return list(found.items())


def _is_missing(count: int, beats: int, answers: int) -> bool:
    if count < LEAST:
        return False
    share = count / answers
    return (share > MANY and beats >= SOON) or (share > SOME and beats >= LASTING)
