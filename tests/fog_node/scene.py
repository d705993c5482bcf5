"""What the tests of this folder play with: a network of two branches and a fusion, and an agent on a desk."""

from collections.abc import Iterable
from typing import Any, TypeVar

import numpy as np

from broker.access.trust import Trust
from broker.actions import Publish
from broker.artifacts import sha256_of
from broker.bus.seam import Message
from broker.codec import encode_tensor
from broker.frame import FrameHeader, FrameTensor
from broker.messages import AssignedFusion, AssignedPartition, Assignment, Phase, Report, Result
from broker.tensor_specs import AssignedInput, InputSpec
from broker.topics import FRAME, NODE_ASSIGNMENT, NODE_REPORT, TENSOR, escape
from fog_node.agent import Agent
from fog_node.events import (
    Action,
    Arrived,
    Event,
    Execute,
    Load,
    Loaded,
    Ran,
    Subscribe,
    Unsubscribe,
)
from fog_node.partition_run import PartitionRun

SITE, NODE, DEPLOYMENT, CAMERA = "home", "pi", "digits", "door"
PICTURE = InputSpec(name="input", shape=(1, 1, 2, 2), dtype="float32", mean=(0.5,), std=(0.5,))
FUSION = AssignedFusion(min_inputs=1, patience_s=1.0)
PATIENCE = FUSION.patience_s
SPECS = {
    "input": AssignedInput(id="input", shape=(1, 1, 2, 2), dtype="float32", bytes=16),
    "left": AssignedInput(id="left", shape=(1, 2), dtype="float32", bytes=8, node=NODE),
    "right": AssignedInput(id="right", shape=(1, 2), dtype="float32", bytes=8, node=NODE),
}
A = TypeVar("A", bound=Action)


def part(
    name: str,
    inputs: tuple[str, ...],
    outputs: tuple[str, ...],
    *,
    fusion: AssignedFusion | None = None,
    memory: int = 10,
    priority: float = 0.0,
    version: str = "",
) -> AssignedPartition:
    """Return a partition whose artifact is its name (and version)."""
    data = artifact(name, version)
    return AssignedPartition(
        id=name,
        sha256=sha256_of(data),
        bytes=len(data),
        memory_bytes=memory,
        inputs=inputs,
        outputs=outputs,
        priority=priority,
        fusion=fusion,
    )


def artifact(name: str, version: str = "") -> bytes:
    return f"{name}{version}".encode()


LEFT = part("left-branch", ("input",), ("left",))
RIGHT = part("right-branch", ("input",), ("right",))
FUSE = part("fusion", ("left", "right"), ("logits",), fusion=FUSION)


def assignment(
    epoch: int,
    *parts: AssignedPartition,
    phase: Phase = "prepare",
    outputs: tuple[str, ...] | None = None,
    maker: str = NODE,
    **changes: Any,
) -> Assignment:
    """Return an assignment of these partitions: what is made here stays here unless in ``outputs``.

    What they take from other nodes is made by ``maker``.
    """
    made = {name for each in parts for name in each.outputs}
    taken = {name for each in parts for name in each.inputs}
    fields = {
        "deployment": DEPLOYMENT,
        "classes": ("cat", "dog"),
        "input": PICTURE if parts else None,
        "inputs": tuple(
            SPECS[name].model_copy(update={"node": "" if name == "input" else maker})
            for name in sorted(taken - made)
            if name in SPECS
        ),
        "outputs": tuple(sorted((made & SPECS.keys()) - taken)) if outputs is None else outputs,
        **changes,
    }
    return Assignment(epoch=epoch, phase=phase, partitions=parts, **fields)


def tensor(
    name: str, frame_id: int, epoch: int = 1, *, data: Any = None, **changes: Any
) -> FrameTensor:
    """Return a tensor of a frame; without ``data`` every element is the frame id."""
    if data is None:
        data = np.full(SPECS[name].shape, frame_id, np.float32)
    fields = {"deployment": DEPLOYMENT, "camera": CAMERA, **changes}
    return FrameTensor(FrameHeader(epoch=epoch, frame_id=frame_id, **fields), name, data)


def topic_of(message: FrameTensor) -> str:
    header = message.header
    if message.tensor == "input":
        return FRAME.at(SITE, deployment=header.deployment, camera=header.camera)
    return TENSOR.at(
        SITE,
        deployment=header.deployment,
        epoch=str(header.epoch),
        node=NODE,
        tensor=escape(message.tensor),
    )


def only(kind: type[A], actions: Iterable[Action]) -> list[A]:
    return [action for action in actions if isinstance(action, kind)]


def reports(actions: Iterable[Action]) -> list[Report]:
    topic = NODE_REPORT.at(SITE, node=NODE)
    return [Report.decode(said.payload) for said in only(Publish, actions) if said.topic == topic]


def results(actions: Iterable[Action]) -> list[Result]:
    return [
        Result.decode(said.payload) for said in only(Publish, actions) if "/result/" in said.topic
    ]


def loaded(partition: AssignedPartition) -> Loaded:
    return Loaded(
        partition.sha256, frozenset(partition.inputs), frozenset(partition.outputs), 0.001
    )


class Desk:
    """An agent whose clock the test moves, and whose wishes the test grants."""

    def __init__(self, memory_bytes: int = 1000, trust: Trust | None = None) -> None:
        self.agent = Agent(NODE, SITE, session=7, memory_bytes=memory_bytes, trust=trust)
        self.now = 100.0
        self.done = self.agent.start()
        """Every action so far."""
        self.subscribed = set(filters(self.done))

    def happen(self, event: Event) -> list[Action]:
        return self.perform(self.agent.handle(event, self.now))

    def perform(self, actions: list[Action]) -> list[Action]:
        self.done += actions
        self.subscribed |= set(filters(actions))
        self.subscribed -= {action.topic_filter for action in only(Unsubscribe, actions)}
        return actions

    def hear(self, topic: str, payload: bytes) -> list[Action]:
        return self.happen(Arrived(Message(topic, payload)))

    def wait(self, seconds: float) -> list[Action]:
        self.now += seconds
        return self.perform(self.agent.tick(self.now))

    def assign(self, told: Assignment) -> list[Action]:
        return self.hear(NODE_ASSIGNMENT.at(SITE, node=NODE), told.encode())

    def serve(self, told: Assignment) -> list[Action]:
        """Assign, and load whatever the agent wants loaded."""
        actions = self.assign(told)
        by_hash = {each.sha256: each for each in told.partitions}
        for load in only(Load, actions):
            actions = actions + self.happen(loaded(by_hash[load.sha256]))
        return actions

    def send(self, message: FrameTensor) -> list[Action]:
        return self.hear(topic_of(message), encode_tensor(message, self.now))

    def ran(self, run: PartitionRun, seconds: float = 0.001) -> list[Action]:
        """Have a run end; every output holds the frame id."""
        shapes = {
            name: SPECS[name].shape if name in SPECS else (1, 2) for name in run.partition.outputs
        }
        outputs = {
            name: np.full(shape, run.header.frame_id, np.float32) for name, shape in shapes.items()
        }
        self.now += seconds
        return self.happen(Ran(run, outputs, seconds))

    def run_all(self, actions: list[Action]) -> list[Action]:
        """Have every run that follows end; return all that came of it."""
        everything = list(actions)
        runs = only(Execute, actions)
        while runs:
            more = self.ran(runs.pop().run)
            everything += more
            runs += only(Execute, more)
        return everything

    @property
    def counters(self) -> dict[str, int]:
        return self.agent.totals()


def filters(actions: Iterable[Action]) -> list[str]:
    return [action.topic_filter for action in only(Subscribe, actions)]
