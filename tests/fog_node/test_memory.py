"""A node that is placed anew all day keeps nothing of the epochs and the sessions that are gone."""

import gc
import weakref
from collections.abc import Iterator
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, ModuleType

import pytest

from broker.artifacts import sha256_of
from fog_node import loader, observations
from fog_node.events import Event, Load, Loaded
from fog_node.loader import Loader
from fog_node.quarantine import Quarantine
from fog_node.runtime import OnnxSession
from fog_node.watchdog import Watchdog
from tests.fog_node.onnx_models import branch
from tests.fog_node.scene import FUSE, LEFT, RIGHT, Desk, assignment, tensor

_CODE = (BuiltinFunctionType, FunctionType, ModuleType, type)
_EPOCHS = 72
"""More than there are samples of the times of a partition."""


@pytest.fixture
def no_collector() -> Iterator[None]:
    """What is freed here is freed because nothing refers to it."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def held_by(root: object) -> int:
    """Return how many objects can be reached from this one, numbers and strings too, code not."""
    seen = {id(root)}
    waiting = [root]
    while waiting:
        for each in gc.get_referents(waiting.pop()):
            if id(each) not in seen and not isinstance(each, _CODE):
                seen.add(id(each))
                waiting.append(each)
    return len(seen)


def live(desk: Desk, epoch: int) -> None:
    """Take an epoch, answer frames in it, lose a tensor, and drain the epoch before."""
    parts = [(LEFT, RIGHT, FUSE), (LEFT, FUSE), (RIGHT,)][epoch % 3]
    desk.serve(assignment(epoch, *parts))
    desk.assign(assignment(epoch, *parts, phase="serve"))
    for frame in (2 * epoch, 2 * epoch + 1):
        desk.run_all(desk.send(tensor("input", frame, epoch)))
    for seconds in (1.0, 2.5, 2.5):
        desk.run_all(desk.wait(seconds))
    desk.done.clear()


def test_epochs_that_are_gone_leave_nothing_in_the_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observations, "_REMEMBERED", 16)
    desk = Desk()
    for epoch in range(_EPOCHS):
        live(desk, epoch)
    before = held_by(desk.agent)
    for epoch in range(_EPOCHS, 2 * _EPOCHS):
        live(desk, epoch)
    assert desk.counters["answers"] > _EPOCHS
    assert held_by(desk.agent) < before + _EPOCHS  # not even one object an epoch


@pytest.mark.usefixtures("no_collector")
def test_a_session_is_freed_before_the_free_memory_is_given_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions: list[weakref.ref[OnnxSession]] = []
    alive: list[int] = []
    monkeypatch.setattr(
        loader,
        "give_back_free_memory",
        lambda: alive.append(sum(each() is not None for each in sessions)),
    )
    heard: list[Event] = []
    quarantine = Quarantine(tmp_path / "quarantine.json")
    watchdog = Watchdog(lambda _: None)
    loading = Loader(tmp_path / "artifacts", 1, watchdog, quarantine, heard.append)
    data = branch("left")
    for _ in range(3):
        loading.load(Load(sha256_of(data), data, 10**6))
        assert isinstance(heard[-1], Loaded)
        sessions.append(weakref.ref(loading.sessions[sha256_of(data)]))
        loading.unload(sha256_of(data))
    watchdog.close()
    assert alive == [0, 0, 0]
