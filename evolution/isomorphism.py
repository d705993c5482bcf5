"""Canonical codes of stage graphs and of branches: equal exactly for isomorphic networks."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import permutations, product

Groups = tuple[str, ...]


@lru_cache(maxsize=1 << 16)
def canonical_groups(groups: Groups) -> Groups:
    """Return the smallest code of all stages isomorphic to this one, nodes without an edge last.

    Codes are compared group by group, so the smallest is found node by node: every order of the
    nodes that still has the smallest code so far is kept. Exact for any number of nodes; the
    number of distinct results is that of unlabelled acyclic graphs (OEIS A003087: 6, 31, 302 ...).
    """
    nodes = len(groups) + 1
    predecessors = [0] * nodes  # bit masks, nodes from 0
    successors = [0] * nodes
    for node, group in enumerate(groups, start=1):
        for earlier, bit in enumerate(group):
            if bit == "1":
                predecessors[node] |= 1 << earlier
                successors[earlier] |= 1 << node
    active = [node for node in range(nodes) if predecessors[node] or successors[node]]
    code: list[str] = []
    orders: list[tuple[int, ...]] = [()]
    for _ in active:
        smallest = ""
        longer: list[tuple[int, ...]] = []
        for order in orders:
            placed = sum(1 << node for node in order)
            twins: set[tuple[int, int]] = set()  # nodes with equal edges are interchangeable
            for node in active:
                twin = (predecessors[node], successors[node])
                if placed >> node & 1 or predecessors[node] & ~placed or twin in twins:
                    continue
                twins.add(twin)
                group = "".join("01"[predecessors[node] >> earlier & 1] for earlier in order)
                if not longer or group < smallest:
                    smallest, longer = group, [(*order, node)]
                elif group == smallest:
                    longer.append((*order, node))
        code.append(smallest)
        orders = longer
    code += ["0" * position for position in range(len(active), nodes)]
    return tuple(code[1:])


def pairs(branches: int) -> list[tuple[int, int]]:
    """List the ordered pairs (a, b) of different branches, in the order of the exchange bits."""
    return list(permutations(range(branches), 2))


def permuted_exchange(exchange: Sequence[str], order: Sequence[int]) -> tuple[str, ...]:
    """Return the exchange bits when new branch i is old branch order[i]."""
    old = {pair: position for position, pair in enumerate(pairs(len(order)))}
    positions = [old[order[a], order[b]] for a, b in pairs(len(order))]
    return tuple("".join(bits[position] for position in positions) for bits in exchange)


def branch_orders(keys: Sequence[object]) -> Iterator[tuple[int, ...]]:
    """Yield every order of the branches that sorts them by their keys; only equal keys change places."""
    ranked = sorted(set(keys), key=repr)
    classes = [[i for i, key in enumerate(keys) if key == wanted] for wanted in ranked]
    for order in product(*(permutations(members) for members in classes)):
        yield tuple(branch for members in order for branch in members)
