"""What is wrong with a value that pydantic refused, in few words."""

from pydantic import ValidationError


def first_fault(error: ValidationError, whole: str) -> str:
    """Return the first field that is wrong and what is wrong with it; ``whole`` names the value itself.

    What was given is not in it: it may be a secret, or large.
    """
    first = error.errors(include_input=False, include_context=False, include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or whole
    return f"{field}: {first['msg']}"
