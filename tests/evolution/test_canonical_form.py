from itertools import permutations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evolution.genome import Genome, Stage
from evolution.isomorphism import pairs
from tests.evolution.strategies import genomes, stages


def codes(nodes: int) -> list[Stage]:
    size = nodes * (nodes - 1) // 2
    return [Stage.from_bits("".join(bits)) for bits in product("01", repeat=size)]


def edges(stage: Stage) -> set[tuple[int, int]]:
    return {(p, node) for node in stage.active for p in stage.predecessors(node)}


def isomorphic(first: Stage, second: Stage) -> bool:
    """Brute force: some renaming of the active nodes maps all edges onto all edges."""
    if len(first.active) != len(second.active):
        return False
    for names in permutations(second.active):
        name = dict(zip(first.active, names, strict=True))
        if {(name[a], name[b]) for a, b in edges(first)} == edges(second):
            return True
    return False


@pytest.mark.parametrize(("nodes", "networks"), [(2, 2), (3, 6), (4, 31), (5, 302)])
def test_distinct_networks_of_a_stage(nodes: int, networks: int) -> None:
    assert len({stage.canonical() for stage in codes(nodes)}) == networks


def test_distinct_networks_of_the_13_bit_space() -> None:
    genomes = {Genome(((first, second),)).canonical() for first in codes(3) for second in codes(5)}
    assert len(genomes) == 1812


def test_canonical_means_isomorphic_by_brute_force() -> None:
    every = codes(4)
    for first, second in product(every, every):
        assert (first.canonical() == second.canonical()) == isomorphic(first, second)


@settings(max_examples=40)
@given(stages(largest=7), st.randoms(use_true_random=False))
def test_renamed_nodes_are_the_same_stage(stage: Stage, random: st.DataObject) -> None:
    # a random topological order of all nodes, isolated ones included, as the new numbering
    order: list[int] = []
    while len(order) < stage.nodes:
        left = [n for n in range(1, stage.nodes + 1) if n not in order]
        order.append(random.choice([n for n in left if set(stage.predecessors(n)) <= set(order)]))  # type: ignore[attr-defined]
    groups = tuple(
        "".join(str(int(earlier in stage.predecessors(node))) for earlier in order[:position])
        for position, node in enumerate(order)
        if position
    )
    assert Stage(groups).canonical() == stage.canonical()


@given(stages(largest=7))
def test_the_canonical_stage_is_isomorphic_and_its_own_canonical_form(stage: Stage) -> None:
    found = stage.canonical()
    assert found.nodes == stage.nodes
    assert found.canonical() == found
    assert isomorphic(found, stage)


@given(genomes(), st.data())
def test_permuted_branches_are_the_same_network(genome: Genome, data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(genome.branch_count)))  # new branch i was order[i]
    exchange = None
    if genome.exchange is not None:
        exchange = tuple(
            "".join(
                str(int(order[a] in genome.sources(order[b], boundary + 1)))
                for a, b in pairs(genome.branch_count)
            )
            for boundary in range(genome.stage_count - 1)
        )
    permuted = Genome(
        tuple(genome.branches[branch] for branch in order),
        tuple(genome.widths[branch] for branch in order) if genome.widths else None,
        exchange,
    )
    assert permuted.canonical() == genome.canonical()
    assert genome.canonical().canonical() == genome.canonical()


def test_exchange_and_widths_tell_networks_apart() -> None:
    def canonical(text: str) -> Genome:
        return Genome.parse(text).canonical()

    same = "1|1 / 1|1"
    assert canonical(same + "; exchange 01") == canonical(same + "; exchange 10")
    assert canonical(same + "; exchange 01") != canonical(same + "; exchange 11")
    assert canonical(same + "; widths 0,1") == canonical(same + "; widths 1,0")
    assert canonical(same + "; widths 0,1 ; exchange 01") != canonical(
        same + "; widths 0,1 ; exchange 10"
    )


def test_genes_that_say_nothing_are_the_same_network_as_no_genes() -> None:
    plain = Genome.parse("0|1 / 1|1")
    assert Genome.parse("0|1 / 1|1 ; widths 0,0 ; exchange 00").canonical() == plain.canonical()
