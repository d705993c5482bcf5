"""Sessions: microseconds of the clock at a part's start, so that a later start has a larger one; pure.

Each is declared by who has it, so it has a bound: a day ahead of the receiver's clock. Else one
message from the far future would make everything that follows look old.
"""

from datetime import UTC, datetime
from typing import Final

from broker.payload import MessageError
from broker.ranges import MOST_COUNT

PER_SECOND: Final = 1_000_000
AHEAD_S: Final = 86_400.0
_SANE_S: Final = datetime(2020, 1, 1, tzinfo=UTC).timestamp()


def session_at(unix_s: float) -> int:
    """Return the session of a part that starts now."""
    return max(0, min(MOST_COUNT, int(unix_s * PER_SECOND)))


def newest_session(unix_s: float) -> int:
    """Return the largest session to be believed; a clock before 2020 was never set and bounds nothing."""
    return MOST_COUNT if unix_s < _SANE_S else session_at(unix_s + AHEAD_S)


def check_session(session: int, newest: int) -> None:
    """Raise MessageError where a session is from later than the newest to be believed."""
    if session > newest:
        ahead_s = (session - newest) / PER_SECOND + AHEAD_S
        raise MessageError(
            f"session: {ahead_s / 3600:.0f} hours ahead of this clock; one of the two clocks is wrong"
        )


def next_session(last: int, unix_s: float) -> int:
    """Return a session later than ``last``, unless that is more than a day ahead of the clock."""
    now = session_at(unix_s)
    return now if last > newest_session(unix_s) else max(last + 1, now)
