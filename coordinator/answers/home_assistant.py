"""What is retained for a Home Assistant, and when it is said again; pure.

It says ``online`` on its status topic when it has started. Then everything is published again after a
delay by chance, for all that hear it answer at once: first the devices, then their states.
"""

import random
from typing import Final, Literal

from broker.actions import Publish
from broker.camera_state import State
from broker.frame import FrameTensor
from broker.messages import ONLINE, Active
from broker.tensor_specs import InputSpec
from broker.topics import PICTURE
from coordinator.answers.agreement import Meaning
from coordinator.answers.answer import Answer
from coordinator.answers.cameras import Key
from coordinator.answers.deciding_frames import DecidingFrames
from coordinator.answers.discovery import config, config_topic
from coordinator.answers.jpeg import jpeg_of

DELAY_S: Final = (0.5, 3.0)
"""From its start to the devices."""
STATES_AFTER_S: Final = 2.0
"""From the devices to their states: until then it has subscribed to them."""
REST_S: Final = 10.0
"""Whoever says ``online`` more often is answered so often at most."""

Due = Literal["", "devices", "states"]


class HomeAssistant:
    """One that looks for devices under ``prefix``."""

    def __init__(self, site: str, prefix: str, version: str, chance: random.Random) -> None:
        self.prefix = prefix
        self._site, self._version, self._chance = site, version, chance
        self._frames = DecidingFrames()
        self._told: dict[Key, bytes] = {}
        self._due: list[tuple[float, Due]] = []
        self._rests_until = 0.0

    def shows(self, state: State, active: Active) -> list[Publish]:
        """Return what tells of a camera, unless that was told."""
        key, payload = (
            (state.deployment, state.camera),
            config(self._site, state, active, self._version),
        )
        if self._told.get(key) == payload:
            return []
        self._told[key] = payload
        return [Publish(config_topic(self._site, key, self.prefix), payload, retain=True)]

    def watched(self, now: float) -> frozenset[Key]:
        """Return the cameras whose frames are to be heard."""
        return self._frames.heard(now)

    def frame(self, frame: FrameTensor) -> None:
        """Take a camera's frame."""
        self._frames.keep(frame)

    def answered(
        self, meaning: Meaning, answer: Answer, taken: InputSpec, now: float
    ) -> list[Publish]:
        """Take an answer and what it means; return the picture of the camera's state where it is of that.

        ``taken`` is what the network takes, for frames that came as such.
        """
        key = answer.deployment, answer.camera
        if meaning == "agreed":
            self._frames.decided(key, answer.label, now)
        elif meaning == "other":
            self._frames.stirs(key, now)
        elif meaning in ("same", "unknown"):
            self._frames.calms(key, now)
        frame = (
            None if answer.unknown else self._frames.answered(key, answer.frame_id, answer.label)
        )
        jpeg = None if frame is None else jpeg_of(frame.data, taken)
        if jpeg is None:
            return []
        return [Publish(_picture_topic(self._site, key), jpeg, retain=True)]

    def forgets(self, key: Key) -> None:
        """Take note that a camera is shown no more."""
        self._told.pop(key, None)
        self._frames.forget(key)

    def status(self, payload: bytes, now: float) -> None:
        """Take what it says of itself."""
        if payload == ONLINE and now >= self._rests_until:
            begins = now + self._chance.uniform(*DELAY_S)
            self._due = [(begins, "devices"), (begins + STATES_AFTER_S, "states")]
            self._rests_until = now + REST_S

    def due(self, now: float) -> Due:
        """Return what is to be said again now; the devices are told as if they never were."""
        if not self._due or now < self._due[0][0]:
            return ""
        what = self._due.pop(0)[1]
        if what == "devices":
            self._told.clear()
        return what


def _picture_topic(site: str, key: Key) -> str:
    return PICTURE.at(site, deployment=key[0], camera=key[1])


def cleared(site: str, key: Key, prefix: str) -> list[Publish]:
    """Return what clears all that a Home Assistant under ``prefix`` was told of a camera."""
    topics = config_topic(site, key, prefix), _picture_topic(site, key)
    return [Publish(topic, b"", retain=True) for topic in topics]
