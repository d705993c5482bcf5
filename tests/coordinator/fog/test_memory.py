"""With little memory: a new epoch beside the one that serves where both fit, else one after the other."""

from hypothesis import given, settings
from hypothesis import strategies as st

from coordinator.fog.epoch import Epoch
from coordinator.fog.layout import Layout
from coordinator.fog.preparation import PREPARE_PATIENCE_S, Preparation
from tests.coordinator.fog.toy_fog import ToyFog
from tests.coordinator.fog.toys import NAME, bundle, gone

PART = 1000
"""Bytes of memory of every partition of a toy bundle."""


def fog_of(nodes: int, parts_each: float, branches: int) -> ToyFog:
    """Return a fog that serves version 1, whose nodes have memory for so many partitions each."""
    memory = dict.fromkeys("abcd"[:nodes], int(parts_each * PART))
    fog = ToyFog(memory, bundle(branches), bundle(branches, version="2"))
    fog.deploy(bundle(branches), revision=1)
    assert fog.desk.phase == "serving"
    return fog


def most_held(fog: ToyFog) -> dict[str, int]:
    """Return what the epochs at hand hold on every node."""
    held = {}
    for node, agent in fog.agents.items():
        parts = {p.sha256: p.memory_bytes for s in agent.epochs for p in s.hashes.values()}
        held[node] = sum(parts.values())
    return held


def test_two_epochs_that_fit_stand_side_by_side() -> None:
    fog = fog_of(nodes=2, parts_each=4.0, branches=3)
    fog.deploy(bundle(3, version="2"), revision=2)
    assert (fog.desk.phase, fog.desk.active.bundle.version) == ("serving", "2")
    epochs = [serving.key[1] for agent in fog.agents.values() for serving in agent.epochs]
    assert sorted(set(epochs)) == [1, 2]  # the old one drains


def test_an_update_that_does_not_fit_beside_takes_the_place_of_what_serves() -> None:
    fog = fog_of(nodes=2, parts_each=3.0, branches=3)
    fog.deploy(bundle(3, version="2"), revision=2)
    assert (fog.desk.phase, fog.desk.active.bundle.version) == ("serving", "2")
    assert fog.desk.active.epoch == 2


def test_nodes_with_room_for_both_are_ready_before_any_other_gives_up_what_serves() -> None:
    of = bundle(1)
    layout = Layout(
        {"branch0-stage0": "a", "fusion": "b"}, {"branch0-stage0": 1, "fusion": 0}, 1, 1
    )
    epoch = Epoch(NAME, 2, of, layout, {"a": 1, "b": 1}, 0.0, evicts=frozenset("b"))
    preparation = Preparation(epoch, 0.0)
    assert preparation.first().keys() == {"a"}
    assert preparation.late(2 * PREPARE_PATIENCE_S) == ["a"]
    assert preparation.next(1.0) == {}
    preparation.ready("a")
    told = preparation.next(2.0)
    assert told.keys() == {"b"}
    assert told["b"].makes_room
    assert preparation.late(PREPARE_PATIENCE_S) == []  # its time began later
    assert not preparation.complete
    preparation.ready("b")
    assert preparation.complete
    assert preparation.next(3.0) == {}


@settings(max_examples=12, deadline=None)
@given(
    st.integers(1, 4),
    st.integers(1, 4),
    st.lists(st.sampled_from(["redeploy", "update", "death"]), min_size=1, max_size=3),
)
def test_with_memory_for_an_epoch_and_a_half_everything_succeeds_that_can(
    nodes: int, branches: int, story: list[str]
) -> None:
    each = -(-(branches + 1) // nodes)  # partitions of an epoch a node, rounded up
    fog = fog_of(nodes, 1.5 * each, branches)
    version, revision = 1, 1
    for event in story:
        if event == "death":
            dead = min(fog.agents)
            fog.lose(gone(dead), node=dead)
        else:
            revision += 1
            version = 3 - version if event == "update" else version
            fog.deploy(bundle(branches, version=str(version)), revision)
        fog.pass_time(5)
        fits = len(fog.agents) * int(1.5 * each) >= branches + 1
        assert fog.desk.phase == ("serving" if fits else "waiting")
        if not fits:
            return
        assert fog.desk.active.bundle.version == str(version)
        assert set(fog.desk.active.fusion) <= fog.agents.keys()
        assert all(size <= 1.5 * each * PART for size in most_held(fog).values())
