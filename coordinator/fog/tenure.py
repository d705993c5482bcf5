"""Who coordinates a site, if several could: the one that acts stays, and the others stand by; pure.

A coordinator first listens. Where it hears another one's beats it stands by, and takes over when
that one falls silent. Should two act at once (one was cut off for a while), the later session stays.
"""

from collections import OrderedDict
from typing import Final, Literal, NamedTuple

TenureState = Literal["listening", "standing by", "acting", "ended"]
TenureEvent = Literal["nobody acts", "another acts", "later one acts"]

TRANSITIONS: Final[dict[tuple[TenureState, TenureEvent], TenureState]] = {
    ("listening", "nobody acts"): "acting",
    ("listening", "another acts"): "standing by",
    ("standing by", "nobody acts"): "acting",
    ("acting", "later one acts"): "ended",
}
"""Whoever edits it edits the table in ``docs/protocol.md``, and a test compares the two. What is not in
it changes nothing.

    nobody acts     what is retained has come, and no other coordinator was heard for SILENT_S
                    (LISTEN_S where the retained state says that there is none)
    another acts    another coordinator's beat was heard
    later one acts  beats of a later session were heard, CONFIRMED of them in a row; from the second on
                    nothing is decided for LISTEN_S
"""

LISTEN_S: Final = 1.5
"""After a connect retained messages and beats come in; nothing is decided on half of them."""
SILENT_S: Final = 3.0
CONFIRMED: Final = 3
"""So many beats of a later one have to be heard: a single message ends nobody."""
_BEAT_APART_S: Final = 0.5
_MISSED: Final = 4
_REMEMBERED: Final = 64
_APART: Final = 10**6
"""Microseconds: two that replace a third hardly began at the same one of a second."""


class _Later(NamedTuple):
    """How many beats of a later session were heard, and the number and the time of the last."""

    beats: int
    sequence: int
    at: float


class Tenure:
    """One coordinator's part in it; ``session`` orders coordinators and only ever grows."""

    def __init__(self, session: int) -> None:
        self.session = session
        self.state: TenureState = "listening"
        self.other: int | None = None
        """The session of the coordinator heard last, if any other was."""
        self._said_online = False
        self._connected_at: float | None = None
        self._other_heard_at = 0.0
        self._later: OrderedDict[int, _Later] = OrderedDict()
        """The later sessions that seem to beat while we act."""

    @property
    def acts(self) -> bool:
        """Whether this one coordinates the site."""
        return self.state == "acting"

    def connected(self, now: float) -> None:
        """Take note of a new connection: nobody could be heard before it."""
        self._connected_at = now
        self._other_heard_at = max(self._other_heard_at, now)

    def settled(self, now: float) -> bool:
        """Return whether what is retained has come since the connect."""
        return self._connected_at is not None and now - self._connected_at >= LISTEN_S

    def site_says(self, *, online: bool) -> None:
        """Take note of the retained state of the site's coordinator, whoever that is."""
        self._said_online = online

    def beat(self, session: int, now: float, sequence: int) -> None:
        """Take a coordinator's beat, our own too; ``sequence`` grows by one with every beat of a session."""
        if session == self.session:
            return
        self.other, self._other_heard_at = session, now
        self._move("another acts")
        if session > self.session and self.acts:
            self._doubt(session, now, sequence)

    def _doubt(self, session: int, now: float, sequence: int) -> None:
        """Listen when a later one acts, and give way if it goes on.

        Its beats are those of a pulse: a second apart, each with the next number. Copies of one beat are
        not, however many there are of them.
        """
        later = self._later.get(session, _Later(0, -1, 0.0))
        if sequence == later.sequence:
            return
        goes_on = _BEAT_APART_S <= now - later.at < SILENT_S
        if not later.beats or not goes_on or not 0 < sequence - later.sequence <= _MISSED:
            self._later[session] = _Later(1, sequence, now)  # no pulse, or the first of one
            if len(self._later) > _REMEMBERED:
                self._later.popitem(last=False)
            return
        self._later[session] = _Later(later.beats + 1, sequence, now)
        self._connected_at = now
        if later.beats + 1 >= CONFIRMED:
            self._move("later one acts")

    def advance(self, now: float) -> bool:
        """Go on with time; return whether this one begins to act now."""
        if not self.settled(now):
            return False
        patience_s = SILENT_S if self._said_online else LISTEN_S
        if self.acts or now - self._other_heard_at < patience_s:
            return False
        if not self._move("nobody acts"):
            return False
        if self.other is not None and self.session <= self.other:
            # Should that one come back, it is to know that it was replaced, whatever its clock says;
            # and of two that replace it at once, each takes a session of its own.
            self.session = self.other + 1 + self.session % _APART
        return True

    def _move(self, event: TenureEvent) -> bool:
        before = self.state
        self.state = TRANSITIONS.get((before, event), before)
        return self.state != before
