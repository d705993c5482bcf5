"""Text from others, made fit for a log or a terminal: no escape sequence or new line reaches either."""

from typing import Final

_MOST: Final = 500


def printable(text: str, most: int | None = _MOST) -> str:
    """Return ``text`` on one line, with what cannot be printed escaped, and cut to ``most`` characters."""
    whole = text if most is None or len(text) <= most else text[: most - 1] + "…"
    if whole.isprintable():
        return whole
    return "".join(each if each.isprintable() else _escaped(each) for each in whole)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
