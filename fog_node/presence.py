"""What a fog node says of itself on retained topics, and says again when another wrote over it; pure.

A namesake that started later is given way to, once it keeps ending our connections: messages alone end
no node.
"""

from typing import Final

from broker.actions import Publish, Stop
from broker.messages import OFFLINE, ONLINE, NodeInfo
from broker.payload import MessageError
from broker.ranges import MOST_COUNT
from broker.retained import Retained
from broker.sessions import AHEAD_S, PER_SECOND
from broker.topics import NODE_INFO, NODE_REPORT, NODE_STATE

AGAIN_S: Final = 60.0
"""So often a node introduces itself, in case somebody who had no room for it has some by now."""
INSISTS: Final = 3
"""In so many connections a later namesake has to be heard: it has our client id, so each of us ends the other's ..."""
_RIVAL_S: Final = 60.0
"""... at most so long after the time before."""


class Presence:
    """One fog node's ``state``, ``info`` and ``report``; ``session`` orders the starts under its id."""

    def __init__(self, node: str, site: str, session: int) -> None:
        self._node, self._session = node, session
        names = {"site": site, "node": node}
        self.state, self.info = NODE_STATE.at(**names), NODE_INFO.at(**names)
        self.report = NODE_REPORT.at(**names)
        self._retained = Retained(site)
        self._began: float | None = None
        self._contradicted_at = -AGAIN_S
        self._introduction = b""
        self._introduced_at = 0.0
        self._connections = 0
        self._rival: tuple[int, int, int, float] = (0, 0, -1, 0.0)
        """The session of a later namesake, in how many connections it was heard, in which last, and when."""

    def connected(self) -> None:
        """Take note of a new connection; safe from any thread."""
        self._connections += 1

    def come(self) -> Publish:
        """Return what is said first."""
        return self._retained.say(self.state, ONLINE)

    def introduce(self, info: NodeInfo) -> Publish:
        """Return what says what the node is."""
        self._introduction = info.encode()
        return self._retained.say(self.info, self._introduction)

    def said(self, message: Publish) -> None:
        """Take note of a message of ours; what is said on a topic of its own is defended."""
        if message.topic == self.report:
            self._retained.say(message.topic, message.payload)

    def heard_state(self, payload: bytes, now: float) -> list[Publish | Stop]:
        """Contradict an older session's will, which may come after we are back, and whatever else is not ours."""
        foreign = self._retained.heard_at(self.state, payload)
        if not foreign or payload != OFFLINE or now - self._contradicted_at < 1.0:
            return []
        self._contradicted_at = now
        return [self.come()]

    def heard_report(self, payload: bytes, _now: float) -> list[Publish | Stop]:
        """Take what came on our report's topic."""
        self._retained.heard_at(self.report, payload)
        return []

    def heard_info(self, payload: bytes, now: float) -> list[Publish | Stop]:
        """Give way to a node of the same id that started later and insists; two would take turns for ever."""
        foreign = self._retained.heard_at(self.info, payload)
        self._began = now if self._began is None else self._began
        if not foreign or not payload:
            return []
        try:
            session = NodeInfo.decode(payload).session
        except MessageError:
            return []
        newest = self._session + int((AHEAD_S + now - self._began) * PER_SECOND)
        if not self._session < session <= min(newest, MOST_COUNT):
            return []
        rival, times, connection, at = self._rival
        times = times if session == rival and now - at < _RIVAL_S else 0
        if times and connection == self._connections:
            return []  # said again in one connection it is a copy, or forged
        self._rival = session, times + 1, self._connections, now
        return [Stop(f"another fog-node took the id {self._node}")] if times + 1 >= INSISTS else []

    def tick(self, now: float) -> list[Publish]:
        """Return what is to be said again."""
        again = self._retained.again(now)
        if self._introduction and now - self._introduced_at >= AGAIN_S:
            first, self._introduced_at = not self._introduced_at, now
            if not first:
                again.append(self._retained.say(self.info, self._introduction))
        return again
