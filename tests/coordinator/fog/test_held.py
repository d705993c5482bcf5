"""Two parties count one resource alike: what the placement thinks fits, the fog node accepts."""

from hypothesis import given
from hypothesis import strategies as st

from coordinator.fog.held import free_bytes, held_by, held_together
from coordinator.fog.layout import laid_out
from coordinator.fog.layout_request import LayoutRequest
from tests.coordinator.fog.toys import bundle, info


def test_a_placement_holds_each_artifact_once_where_it_is() -> None:
    parts = bundle().partitions
    held = held_by(bundle(), {part.id: "a" for part in parts})
    assert held == {"a": {part.sha256: 1000 for part in parts}}
    assert free_bytes(5000, held["a"]) == 2000


def test_epochs_and_deployments_that_share_an_artifact_hold_it_once() -> None:
    old = held_by(bundle(), {"branch0-stage0": "a", "branch1-stage0": "b", "fusion": "a"})
    new = held_by(bundle(), {"branch0-stage0": "a", "branch1-stage0": "a", "fusion": "b"})
    together = held_together([old, new])
    assert {node: len(artifacts) for node, artifacts in together.items()} == {"a": 3, "b": 2}


def test_more_held_than_there_is_leaves_nothing() -> None:
    assert free_bytes(1, {"x": 2}) == 0


def test_a_redeploy_fits_where_one_epoch_and_a_half_do() -> None:
    """The node counts the artifacts of both epochs, each once; so does the placement."""
    nodes = {name: info(name, memory=2000) for name in "ab"}
    first = laid_out(LayoutRequest(bundle(), nodes))
    held = held_by(bundle(), first.placement)
    again = laid_out(LayoutRequest(bundle(), nodes, held=held))
    assert again.placement == first.placement  # all of it is there already
    lost = dict(held)
    gone = next(node for node, artifacts in held.items() if len(artifacts) == 1)
    del lost[gone]
    left = {node: info(node, memory=3000) for node in nodes if node != gone}
    repaired = laid_out(
        LayoutRequest(bundle(), left, held=lost)
    )  # 3 artifacts, of which 2 are there
    assert set(repaired.placement.values()) == set(left)


@given(
    memory=st.integers(1000, 4000),
    kept=st.lists(st.sampled_from(["1", "2"]), unique=True, max_size=2),
    branches=st.integers(1, 3),
)
def test_what_is_laid_out_is_within_what_the_fog_node_counts(
    memory: int, kept: list[str], branches: int
) -> None:
    """`kept` are versions of the bundle that each node serves already; version 1 is the one wanted."""
    nodes = {name: info(name, memory=memory) for name in "ab"}
    served = [bundle(1, version) for version in kept]
    held = held_together(
        held_by(of, {part.id: node for part in of.partitions}) for of in served for node in nodes
    )
    try:
        layout = laid_out(LayoutRequest(bundle(branches), nodes, held=held))
    except ValueError:
        return
    after = held_together([held, held_by(bundle(branches), layout.placement)])
    for node in set(layout.placement.values()):
        new = held_by(bundle(branches), layout.placement)[node].keys() - held.get(node, {}).keys()
        assert not new or sum(after[node].values()) <= memory
