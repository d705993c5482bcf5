"""Answers that nobody computed: what a coordinator pays for hearing them can be measured."""

import random
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from broker.bus.inbox import Inbox
from broker.bus.mqtt import MqttBus
from broker.bus.seam import Message
from broker.messages import Active, HopTime, Result
from broker.topics import ACTIVE, RESULT

_ACTIVE_S: Final = 10.0
_HOPS: Final = 5
_DOUBT: Final = 0.05
"""So many answers say another label than those around them."""
_CHANGE: Final = 0.01
"""With every answer the chance that the camera shows something else from now on."""


@contextmanager
def stub_answers(url: str, site: str, deployments: Sequence[str], per_s: float) -> Iterator[None]:
    """Have every deployment answer so many frames a second, of one camera, as long as the context lasts.

    Raises:
        TimeoutError: one of them does not serve.
    """
    bus = MqttBus.connect(url, "answers")
    over = threading.Event()
    heard: Inbox[Message] = Inbox()
    bus.subscribe(ACTIVE.every(site), heard.put)
    active: dict[str, Active] = {}
    while active.keys() < set(deployments):
        message = heard.get(_ACTIVE_S)
        if message is None:
            raise TimeoutError(f"of {len(deployments)} deployments {len(active)} serve")
        told = Active.decode(message.payload)
        active[told.deployment] = told
    draw = random.Random(1)
    shows = dict.fromkeys(active, 0)

    def answer() -> None:
        frame_id = 0
        while not over.is_set():
            frame_id += 1
            for name, told in active.items():
                if draw.random() < _CHANGE:
                    shows[name] = draw.randrange(len(told.classes))
                said = draw.randrange(len(told.classes)) if draw.random() < _DOUBT else shows[name]
                bus.publish(*_answer(site, told, frame_id, said))
                over.wait(1 / (per_s * len(active)))

    answering = threading.Thread(target=answer, name="answers")
    answering.start()
    try:
        yield
    finally:
        over.set()
        answering.join()
        bus.close()


def _answer(site: str, told: Active, frame_id: int, said: int) -> tuple[str, bytes]:
    node = told.fusion[0]
    hop = HopTime(partition="branch0-stage0", node=node, queued_s=0.001, run_s=0.01)
    result = Result(
        deployment=told.deployment,
        camera="camera",
        frame_id=frame_id,
        source=f"picture_{frame_id}.jpg",
        label=told.classes[said],
        confidence=0.91,
        epoch=told.epoch,
        missing=(),
        latency=(hop,) * _HOPS,
        age_s=0.043,
    )
    names = {"deployment": told.deployment, "camera": "camera", "node": node}
    return RESULT.at(site, **names), result.encode()
