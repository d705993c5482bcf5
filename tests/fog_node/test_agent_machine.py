"""The agent under any order of events: whatever happens, some things stay true."""

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from broker.actions import Publish
from broker.artifacts import sha256_of
from broker.codec import Chunk, encode_chunk
from broker.messages import AssignedPartition, Assignment
from broker.topics import NODE_ARTIFACT
from fog_node.events import (
    Absent,
    Action,
    Event,
    Execute,
    Found,
    Load,
    LoadFailed,
    Ran,
    RunFailed,
    Subscribe,
    Tidy,
    Unload,
    Unsubscribe,
)
from tests.fog_node.scene import NODE, SITE, Desk, artifact, loaded, reports, results, tensor
from tests.fog_node.strategies import PARTS, assignments

BY_HASH: dict[str, AssignedPartition] = {each.sha256: each for each in PARTS}
ARTIFACTS = [artifact(each.id, version) for each in PARTS for version in ("", "2")]
DATA = {sha256_of(data): data for data in ARTIFACTS}


class World(RuleBasedStateMachine):
    """Loads, runs and pulls end in any order, well or not; frames of any epoch come in between."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk(memory_bytes=45)
        self.loader: list[Load | Unload] = []  # a thread takes them in turn
        self.fates: dict[str, str] = {}  # what becomes of the artifact of a hash
        self.sessions: set[str] = set()
        self.topics: set[str] = set()
        self.running: list[Execute] = []
        self.told: list[Assignment] = []

    def act(self, actions: list[Action]) -> None:
        """Be the thin loop, and hold the agent to its word at every step."""
        for action in actions:
            match action:
                case Load() | Unload():
                    self.loader.append(action)
                case Subscribe(topic, _):
                    assert topic not in self.topics
                    self.topics.add(topic)
                case Unsubscribe(topic):
                    self.topics.remove(topic)
                case Execute(run):
                    fuses = run.partition.fusion is not None
                    others = [e.run.partition.fusion is not None for e in self.running]
                    assert fuses not in others, "one run at a time, and one fusion beside it"
                    assert run.partition.sha256 in self.sessions | self.under_way
                    self.running.append(action)
                case Tidy(needed):
                    assert self.sessions - needed <= {w.sha256 for w in self.loader}
                case Publish():
                    self.check_what_is_said(action)

    @property
    def under_way(self) -> set[str]:
        """What is being loaded once more, for it was unloaded in vain."""
        return {wish.sha256 for wish in self.loader if isinstance(wish, Load)}

    def check_what_is_said(self, said: Publish) -> None:
        for report in reports([said]):
            if report.status == "ready":
                serving = self.desk.agent.epochs.get(report.deployment, report.epoch)
                assert serving is not None
                assert serving.filters <= self.topics, "ready before it was subscribed"
                needed = set(serving.hashes)
                assert needed <= self.sessions | self.under_way, "ready before it was loaded"
        for result in results([said]):
            assert result.label == f"{result.epoch}", "the answer of another epoch"

    def happen(self, event: Event) -> None:
        self.act(self.desk.happen(event))

    @rule(told=assignments(st.integers(1, 4)))
    def assigned(self, told: Assignment) -> None:
        self.told.append(told)
        self.act(self.desk.assign(told))

    @precondition(lambda self: self.loader)
    @rule(fate=st.sampled_from(["on the disk", "absent", "broken"]))
    def loader_goes_on(self, fate: str) -> None:
        wish = self.loader.pop(0)
        if isinstance(wish, Unload):
            self.sessions.discard(wish.sha256)
            return
        fate = self.fates.setdefault(wish.sha256, fate)
        if fate == "broken":
            self.happen(LoadFailed(wish.sha256, "no model"))
        elif fate == "absent" and wish.data is None:
            self.happen(Absent(wish.sha256))
        else:
            self.fates[wish.sha256] = "on the disk"
            self.happen(Found(wish.sha256))
            self.sessions.add(wish.sha256)
            self.happen(loaded(BY_HASH[wish.sha256]))

    @rule(data=st.sampled_from(sorted(DATA)), corrupt=st.booleans())
    def chunk_comes(self, data: str, corrupt: bool) -> None:
        whole = bytes(len(DATA[data])) if corrupt else DATA[data]
        chunk = encode_chunk(Chunk(data, 0, len(whole), whole))
        self.act(self.desk.hear(NODE_ARTIFACT.at(SITE, node=NODE), chunk))

    @rule(
        name=st.sampled_from(["input", "left", "right"]),
        frame_id=st.integers(0, 3),
        epoch=st.integers(1, 4),
        deployment=st.sampled_from(["digits", "other"]),
        deadline=st.none() | st.sampled_from([0.5, 5.0]),
    )
    def tensor_comes(
        self, name: str, frame_id: int, epoch: int, deployment: str, deadline: float | None
    ) -> None:
        # Every tensor tells its epoch and frame, so that what is mixed would show.
        size = 4 if name == "input" else 2
        data = np.full(size, 10 * epoch + frame_id, np.float32)
        shaped = data.reshape((1, 1, 2, 2) if name == "input" else (1, 2))
        now = self.desk.now
        expires_at = None if deadline is None else now + deadline
        message = tensor(
            name,
            frame_id,
            epoch,
            data=shaped,
            deployment=deployment,
            since=now,
            expires_at=expires_at,
        )
        self.act(self.desk.send(message))

    @precondition(lambda self: self.running)
    @rule(fails=st.booleans())
    def run_ends(self, fails: bool) -> None:
        run = self.running.pop().run
        if fails:
            self.happen(RunFailed(run, "it broke"))
            return
        told = {10 * run.header.epoch + run.header.frame_id}
        assert {float(x) for data in run.inputs.values() for x in data.reshape(-1)} == told, "mixed"
        logits = np.zeros((1, 5), np.float32)
        logits[0, run.header.epoch] = 1.0  # the class is the epoch
        mark = np.full((1, 2), 10 * run.header.epoch + run.header.frame_id, np.float32)
        outputs = dict.fromkeys(run.partition.outputs, logits if run.partition.fusion else mark)
        self.happen(Ran(run, outputs, 0.01))

    @rule(seconds=st.sampled_from([0.1, 1.0, 3.0, 11.0]))
    def time_passes(self, seconds: float) -> None:
        self.act(self.desk.wait(seconds))

    @invariant()
    def it_hears_nothing_that_no_epoch_needs(self) -> None:
        alive = [s for s in self.desk.agent.epochs if s.takes_frames]
        assert self.topics == {topic for serving in alive for topic in serving.filters}

    @invariant()
    def it_keeps_no_session_that_no_epoch_needs(self) -> None:
        alive = [s for s in self.desk.agent.epochs if s.state != "failed"]
        needed = {sha256 for serving in alive for sha256 in serving.hashes}
        assert self.sessions <= needed | {wish.sha256 for wish in self.loader}
        assert sum(BY_HASH[sha256].memory_bytes for sha256 in needed) <= 45

    @invariant()
    def few_epochs_are_kept(self) -> None:
        assert len(list(self.desk.agent.epochs)) <= 8

    def teardown(self) -> None:
        """When everything that is in flight has ended, nothing is left that nobody needs."""
        for _ in range(100):
            if self.loader:
                self.loader_goes_on("on the disk")
            elif self.running:
                self.happen(RunFailed(self.running.pop().run, "the end"))
        assert not self.loader
        self.it_keeps_no_session_that_no_epoch_needs()


World.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestAgentUnderAnyOrder = World.TestCase
