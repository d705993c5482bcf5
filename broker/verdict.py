"""What an answer says, in words; the same for whoever shows it to a person."""

from broker.messages import Result


def verdict(result: Result) -> str:
    """Return ``open 98 %``, or ``unknown (open 41 %)`` where the answer is below the threshold."""
    said = f"{result.label} {result.confidence * 100:.0f} %"
    return f"unknown ({said})" if result.unknown else said
