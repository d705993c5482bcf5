"""Whose results come too late, by what a deployment's answers lack; pure.

A branch is missing when more than ``MISSING_SHARE`` of the answers lack it, at least ``LEAST`` of them, and
that goes on. Its maker is to blame, or who makes what the maker needs. But where the tensors of
all other nodes are late alike, the node of the fusion does not get them; and where the standby gives
most of the answers, those of the first come too late.
"""

from collections.abc import Callable
from typing import Final

from coordinator.fog.answered import Answered
from coordinator.fog.served import Served

MISSING_SHARE: Final = 0.05
LEAST: Final = 3
ALIKE: Final = 0.5
"""Shares that differ by less than this factor are of one cause."""
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
        if answers.busy.intersection(standbys):
            share = stood_in / answers.answers
            return [(first, f"its answers come too late: the standby gives {share:.0%} of them")]
        return []
    shares = {
        tensor: count / answers.answers
        for tensor, count in answers.missing.items()
        if tensor in served.chains
    }
    missing = {
        tensor: share
        for tensor, share in shares.items()
        if answers.missing[tensor] >= LEAST and share > MISSING_SHARE and tensor in answers.lasting
    }
    remote = [tensor for tensor, chain in served.chains.items() if chain[0] != first]
    makers = {served.chains[tensor][0] for tensor in remote}
    if (
        len(makers) > 1
        and missing.keys() >= set(remote)
        and min(missing[tensor] for tensor in remote)
        >= ALIKE * max(missing[tensor] for tensor in remote)
    ):
        worst = max(missing[tensor] for tensor in remote)
        return [(first, f"the other nodes' results come too late to it ({worst:.0%} of them)")]
    found: dict[str, str] = {}
    for tensor, share in sorted(missing.items(), key=lambda item: (-item[1], item[0])):
        # max takes the first of equals: the maker.
        node = max(served.chains[tensor], key=suspicion)
        found.setdefault(
            node, f"its results come too late: {share:.0%} of the answers lack {tensor}"
        )
    return list(found.items())
