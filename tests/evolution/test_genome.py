import numpy as np
import pytest
from hypothesis import given

from evolution.genome import Genome, Space, Stage
from tests.evolution.strategies import genomes, rngs, spaces, stages

DESIGN = "1-01|0-11-010 / 0-11|1-00-111"


def test_bits_come_in_the_order_of_the_paper() -> None:
    stage = Stage.parse("1-00-111")
    assert stage.nodes == 4
    assert [stage.predecessors(node) for node in (1, 2, 3, 4)] == [(), (1,), (), (1, 2, 3)]


def test_networks_named_in_the_paper() -> None:
    vgg, residual, dense = map(Stage.parse, ("1-01-001", "1-01-101", "1-11-111"))
    assert [vgg.predecessors(n) for n in (2, 3, 4)] == [(1,), (2,), (3,)]
    assert residual.predecessors(4) == (1, 3)
    assert dense.predecessors(4) == (1, 2, 3)
    assert all((stage.entries, stage.exits) == ((1,), (4,)) for stage in (vgg, residual, dense))


def test_a_node_without_an_edge_is_dropped() -> None:
    stage = Stage.parse("0-10-000")
    assert stage.active == (1, 3)
    assert (stage.entries, stage.exits) == ((1,), (3,))
    assert not stage.is_empty


def test_a_stage_without_an_edge_is_empty() -> None:
    stage = Stage.parse("0-00")
    assert stage.is_empty
    assert stage.active == stage.entries == stage.exits == ()


@given(stages())
def test_entries_and_exits_are_the_ends_of_the_active_nodes(stage: Stage) -> None:
    fed = {node for node in stage.active if stage.predecessors(node)}
    feeding = {p for node in stage.active for p in stage.predecessors(node)}
    assert set(stage.entries) == set(stage.active) - fed
    assert set(stage.exits) == set(stage.active) - feeding
    assert fed | feeding == set(stage.active)


def test_a_genome_of_the_design_reads_and_writes() -> None:
    genome = Genome.parse(DESIGN)
    assert str(genome) == DESIGN
    assert (genome.branch_count, genome.stage_count) == (2, 2)
    assert genome.nodes_per_stage == (3, 4)
    assert genome.widths is None
    assert genome.exchange is None


def test_optional_genes_follow_the_code() -> None:
    genome = Genome.parse(DESIGN + " ; widths 0,2 ; exchange 01")
    assert genome.widths == (0, 2)
    assert genome.exchange == ("01",)
    assert genome == Genome.parse("1-01|0-11-010/0-11|1-00-111;exchange  0 1;\twidths 0, 2\n")


@given(genomes())
def test_the_text_form_parses_back(genome: Genome) -> None:
    assert Genome.parse(str(genome)) == genome


def test_exchange_bits_name_ordered_pairs() -> None:
    # three branches: (0,1) (0,2) (1,0) (1,2) (2,0) (2,1), one group for each stage boundary
    genome = Genome.parse("1|1|1 / 1|1|1 / 1|1|1 ; exchange 110000|000011")
    assert [genome.sources(branch, 0) for branch in range(3)] == [(), (), ()]
    assert [genome.sources(branch, 1) for branch in range(3)] == [(0,), (1, 0), (2, 0)]
    assert [genome.sources(branch, 2) for branch in range(3)] == [(0, 2), (1, 2), (2,)]


def test_isolated_nodes_are_counted_over_all_stages() -> None:
    assert Genome.parse("1-00|0-00 / 1-01|0-01").isolated_nodes == 1 + 3 + 0 + 1


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("", "stage"),
        ("1-0", "stage"),
        ("1-02", "stage"),
        ("11", "stage"),
        ("1-01|", "stage"),
        ("1-01 / 1", "branches"),
        ("1|1 / 1", "branches"),
        ("1 / 1 ; widths 0", "widths"),
        ("1 / 1 ; widths 0,-1", "widths"),
        ("1 / 1 ; widths", "widths"),
        ("1|1 / 1|1 ; exchange 0", "exchange"),
        ("1|1 / 1|1 ; exchange 01|01", "exchange"),
        ("1|1 ; exchange 01", "exchange"),
        ("1 ; colour red", "genome"),
        ("1 ; widths 0 ; widths 0", "genome"),
    ],
)
def test_bad_text_is_one_sentence_that_names_the_field(text: str, field: str) -> None:
    with pytest.raises(ValueError, match=rf"\A{field}: [^\n]*\.\Z"):
        Genome.parse(text)


def test_a_node_outside_the_stage_is_refused() -> None:
    with pytest.raises(ValueError, match="node: 4"):
        Stage.parse("1-01").predecessors(4)


@given(spaces(), rngs)
def test_a_space_contains_what_it_draws(space: Space, rng: np.random.Generator) -> None:
    genome = space.random(rng)
    assert space.contains(genome)
    assert space.contains(genome.canonical())
    assert genome.nodes_per_stage == space.nodes
    assert (genome.widths is not None) == (space.widths > 0)
    assert (genome.exchange is not None) == space.exchange


def test_the_spaces_of_the_paper_have_13_and_19_bits() -> None:
    assert Space((3, 5)).bit_count == 13
    assert Space((3, 4, 5)).bit_count == 19
    assert Space((3, 5), branches=2, exchange=True, widths=3).bit_count == 28


def test_a_space_does_not_contain_another_spaces_genomes() -> None:
    assert not Space((3,)).contains(Genome.parse("1"))
    assert not Space((2,)).contains(Genome.parse("1 / 1"))
    assert not Space((2,), widths=2).contains(Genome.parse("1 ; widths 2"))
    assert not Space((2,)).contains(Genome.parse("1 ; widths 0"))
    assert not Space((2, 2), 2).contains(Genome.parse("1|1 / 1|1 ; exchange 00"))


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"nodes": ()}, "nodes"),
        ({"nodes": (3, 1)}, "nodes"),
        ({"nodes": (3,), "branches": 0}, "branches"),
        ({"nodes": (3,), "widths": -1}, "widths"),
        ({"nodes": (3, 3), "exchange": True}, "exchange"),
        ({"nodes": (3,), "branches": 2, "exchange": True}, "exchange"),
    ],
)
def test_an_impossible_space_names_the_field(arguments: dict[str, object], field: str) -> None:
    with pytest.raises(ValueError, match=rf"\A{field}: "):
        Space(**arguments)  # type: ignore[arg-type]
