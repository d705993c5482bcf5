"""Tells a running Mosquitto of users, over its control topic, as the administrator."""

import json
import time
import uuid
from collections.abc import Sequence
from typing import Any, Final

from broker.access.rights import LEFT_BEHIND
from broker.bus.inbox import Inbox
from broker.bus.seam import Bus, Message
from broker.closed.dynamic_security import ADMIN, CONTROL, RESPONSE

_ANSWER_S: Final = 5.0


class ControlError(Exception):
    """The broker did not do what it was told, in one sentence."""


class Control:
    """The control topic of one broker, on a bus that the administrator opened."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._inbox: Inbox[Message] = Inbox()
        bus.subscribe(RESPONSE, self._inbox.put)

    def users(self) -> frozenset[str]:
        """Return who may connect, the administrator left out.

        Raises:
            ControlError: the broker did not say.
        """
        (answer,) = self.perform([{"command": "listClients", "count": -1}])
        names = answer.get("data", {}).get("clients", [])
        return frozenset(str(name) for name in names) - {ADMIN}

    def perform(self, commands: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Have commands performed; return the answers, in order.

        Raises:
            ControlError: one was refused, or nothing was answered.
        """
        token = uuid.uuid4().hex
        marked = [{**command, "correlationData": token} for command in commands]
        self._bus.publish(CONTROL, json.dumps({"commands": marked}).encode())
        until = time.monotonic() + _ANSWER_S
        while (message := self._inbox.get(max(0.0, until - time.monotonic()))) is not None:
            answers = _answers(message.payload, token)
            if not answers:
                continue
            for answer in answers:
                if "error" in answer:
                    raise ControlError(f"the broker refused {answer['command']}: {answer['error']}")
            return answers
        raise ControlError(f"the broker did not answer on {CONTROL} within {_ANSWER_S:g} s")

    def clear(self, site: str, node: str) -> None:
        """Clear what a fog node left retained, its state first: who hears that forgets the rest."""
        for topic in LEFT_BEHIND:
            self._bus.publish(topic.at(site, node=node), b"", retain=True)


def _answers(payload: bytes, token: str) -> list[dict[str, Any]]:
    """Return the answers to what was sent with ``token``."""
    try:
        said = json.loads(payload)["responses"]
        return [answer for answer in said if answer.get("correlationData") == token]
    except (ValueError, KeyError, TypeError, AttributeError):
        return []
