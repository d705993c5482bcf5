"""What a picture is called that has no other name: the time of its capture."""

from datetime import datetime, timedelta


def time_name(age_s: float = 0.0) -> str:
    """Return the local time of a picture that is ``age_s`` seconds old, to the millisecond."""
    taken = datetime.now().astimezone() - timedelta(seconds=age_s)
    return taken.isoformat(timespec="milliseconds")
