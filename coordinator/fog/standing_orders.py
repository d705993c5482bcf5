"""The last word to each fog node on each deployment; pure.

A node's assignment topic retains one message, and a node may be in several deployments: who comes
(back) is told the others again.
"""

from collections.abc import Mapping

from broker.messages import Assignment, NodeInfo


class StandingOrders:
    """What each fog node was told last, by deployment."""

    def __init__(self) -> None:
        self._words: dict[str, dict[str, Assignment]] = {}
        self._sessions: dict[str, int] = {}
        self._there: set[str] = set()

    def note(self, node: str, word: Assignment) -> None:
        """Take note of what a node is told now."""
        words = self._words.setdefault(node, {})
        words.pop(word.deployment, None)  # to the end: the order of telling
        words[word.deployment] = word

    def again(self, alive: Mapping[str, NodeInfo]) -> list[tuple[str, Assignment]]:
        """Return what the nodes that came since the last call are to be told again.

        What gives a node nothing to do comes first, so that the last word, which is retained, is of
        use. A new session had nothing to be relieved of: such words are forgotten then.
        """
        told = []
        for node, info in alive.items():
            words = self._words.get(node, {})
            new_session = self._sessions.get(node) != info.session
            if (new_session or node not in self._there) and len(words) > 1:
                told += [(node, word) for word in sorted(words.values(), key=_has_work)]
            if new_session:
                self._words[node] = {name: word for name, word in words.items() if _has_work(word)}
            self._sessions[node] = info.session
        self._there = set(alive)
        return told


def _has_work(word: Assignment) -> bool:
    return bool(word.partitions)
