"""Whether a fog node of our id is running already, found out before we take the id.

The broker ends the older of two connections with one client id, and the later start takes the id: so
who looks does it on a connection of another name. One that runs has retained ``online`` and beats every
second. One that died may have left ``online`` behind, but is silent, so nobody waits longer than
`LISTEN_S` for its successor; and where nothing is retained, or ``offline``, nobody waits at all.
"""

import time
import uuid
from typing import Final

from broker.bus.inbox import Inbox
from broker.bus.seam import Bus, Message
from broker.ending import Stop
from broker.messages import ONLINE
from broker.topics import NODE_BEAT, NODE_ECHO, NODE_STATE

ECHO_S: Final = 3.0
"""For our own echo, from the connection on; a broker without one has nothing retained either."""

LISTEN_S: Final = 2.5
"""For a beat of a node that is ``online``: two of them, and a slow network."""

SETTLE_S: Final = 0.2
"""For what is retained, once our own echo is back: some brokers overtake themselves."""


class Lookout:
    """What has been heard of a namesake; at ``until``, monotonic seconds, there is none."""

    def __init__(self, site: str, node: str, token: bytes, now: float) -> None:
        self.alive = False
        self.until = now + ECHO_S
        self._token, self._online = token, False
        names = {"site": site, "node": node}
        self.state, self.beat = NODE_STATE.at(**names), NODE_BEAT.at(**names)
        self.echo = NODE_ECHO.at(**names)

    def hear(self, message: Message, now: float) -> None:
        """Take a message of the node's topics."""
        if message.topic == self.beat:
            self.alive = True
        elif message.topic == self.state:
            if message.payload != ONLINE:
                self._online, self.until = False, now
            elif not self._online:
                self._online, self.until = True, now + LISTEN_S
        elif message.payload == self._token and not self._online:
            self.until = min(self.until, now + SETTLE_S)


def is_running(bus: Bus, site: str, node: str, stop: Stop) -> bool:
    """Return whether a fog node called ``node`` is alive at the broker; False too when told to stop.

    ``bus`` is connected and has another client id than the node.
    """
    token = uuid.uuid4().hex.encode()
    lookout = Lookout(site, node, token, time.monotonic())
    inbox: Inbox[Message | None] = Inbox()
    for topic in (lookout.state, lookout.beat, lookout.echo):
        bus.subscribe(topic, inbox.put)
    bus.publish(lookout.echo, token)
    stop.calls(lambda: inbox.put(None))
    while not stop.told and not lookout.alive:
        left = lookout.until - time.monotonic()
        if left <= 0:
            break
        message = inbox.get(left)
        if message is not None:
            lookout.hear(message, time.monotonic())
    return lookout.alive and not stop.told
