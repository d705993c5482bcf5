"""A site whose answers are made up: what is said, and what its states come to, without a bus."""

import json
import logging
import random
from typing import Any

import numpy as np

from broker.actions import Publish
from broker.camera_state import State
from broker.codec import decode_tensor, encode_tensor
from broker.frame import FrameHeader, FrameTensor
from broker.messages import Active, BundleName
from broker.tensor_specs import InputSpec
from broker.topics import STATE
from coordinator.answers.answer import Answer
from coordinator.answers.cameras import Key
from coordinator.answers.discovery import config_topic
from coordinator.answers.home_assistant import HomeAssistant
from coordinator.answers.rules import Rules
from coordinator.answers.states import States
from coordinator.fog.failures import Failures

SITE, NAME, CAMERA, NODE = "home", "door", "hall", "pi"
KEY: Key = (NAME, CAMERA)
WALL_S = 1_800_000_000.0
PREFIX = "homeassistant"


def active(epoch: int = 1, classes: tuple[str, ...] = ("open", "shut", "ajar")) -> Active:
    """Return what serves: a network of 4x4 grey pixels, answered by one node."""
    return Active(
        deployment=NAME,
        epoch=epoch,
        bundle=BundleName(name="doors", version="1"),
        classes=classes,
        input=InputSpec(name="input", shape=(1, 1, 4, 4), dtype="float32", mean=(0.5,), std=(0.5,)),
        fusion=(NODE,),
    )


class AnsweringSite:
    """Its states, the clock, and what is retained of it; ``retained`` is what an earlier coordinator left."""

    def __init__(
        self,
        *,
        equal: int = 3,
        shown: str = "",
        retained: dict[str, bytes] | None = None,
        now: float = 0.0,
        serves: bool = True,
    ) -> None:
        rules = Rules(equal, 600.0, shown)
        home = HomeAssistant(SITE, shown, "1.0", random.Random(1)) if shown else None
        self.failures = Failures(logging.getLogger("test"))
        self.states = States(SITE, rules, self.failures, WALL_S, home)
        self.now, self.frames = now, 0
        self.retained: dict[str, bytes] = {}
        self.said: list[Publish] = []
        for topic, payload in (retained or {}).items():
            self.retained[topic] = payload
            if names := STATE.names(topic):
                self.states.retained((names["deployment"], names["camera"]), payload, now)
        if serves:
            self.serve()
        self.take(self.states.begin())

    def serve(self, told: Active | None = None, *, known: tuple[str, ...] = (NAME,)) -> None:
        """Have an epoch serve; without ``known`` the deployment is gone."""
        serving = {NAME: told or active()} if NAME in known else {}
        self.take(self.states.serve(serving, known))

    def take(self, actions: list[Publish]) -> list[Publish]:
        """Have the broker retain what is published, and bring it back."""
        self.said += actions
        for action in actions:
            assert action.retain
            self.retained.pop(action.topic, None)
            if action.payload:
                self.retained[action.topic] = action.payload
            if names := STATE.names(action.topic):
                key = names["deployment"], names["camera"]
                assert self.states.retained(key, action.payload, self.now) == []
        return actions

    def answer(self, label: str, **changes: Any) -> list[Publish]:
        """Have a frame answered, a second after the last one."""
        self.now += 1.0
        self.frames += 1
        said: dict[str, Any] = {
            "deployment": NAME,
            "camera": CAMERA,
            "frame_id": self.frames,
            "label": label,
            "confidence": 0.9,
            "epoch": 1,
        } | changes
        node = said.pop("node", NODE)
        return self.take(self.states.hear(node, Answer(**said), self.now))

    def answers(self, *labels: str) -> None:
        """Have several frames answered."""
        for label in labels:
            self.answer(label)

    def frame(self, frame_id: int, grey: int) -> None:
        """Have a frame pass, all of one grey."""
        header = FrameHeader(deployment=NAME, epoch=1, camera=CAMERA, frame_id=frame_id)
        tensor = FrameTensor(header, "input", np.full((1, 1, 4, 4), grey, np.uint8))
        self.states.frame(decode_tensor(encode_tensor(tensor, 0.0), 0.0))

    def pass_time(self, seconds: float) -> list[Publish]:
        """Let time go by."""
        self.now += seconds
        return self.take(self.states.tick(self.now))

    def state(self, camera: str = CAMERA) -> State | None:
        """Return what is retained of a camera."""
        payload = self.retained.get(STATE.at(SITE, deployment=NAME, camera=camera))
        return None if payload is None else State.decode(payload)

    @property
    def label(self) -> str | None:
        state = self.state()
        return None if state is None else state.label

    @property
    def device(self) -> dict[str, Any] | None:
        """What a Home Assistant was told of the camera."""
        payload = self.retained.get(config_topic(SITE, KEY, PREFIX))
        return None if payload is None else json.loads(payload)
