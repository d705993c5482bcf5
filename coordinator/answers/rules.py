"""What the person who starts a coordinator decides about the states of cameras."""

import re
from dataclasses import dataclass
from typing import Final

from broker.camera_state import PREFIX

MOST_EQUAL: Final = 1000
MOST_SILENT_S: Final = 1e6


@dataclass(frozen=True, slots=True)
class Rules:
    """When a label is a state, when a camera is silent, and whether a Home Assistant is shown it.

    ``equal_answers`` in a row make a state. A camera without an answer for ``silent_s`` seconds is silent.
    ``home_assistant`` is the prefix of its discovery topics; empty: none is shown anything.

    Raises:
        ValueError: one is out of range, in a sentence that names it.
    """

    equal_answers: int = 3
    silent_s: float = 600.0
    home_assistant: str = ""

    def __post_init__(self) -> None:
        if not 1 <= self.equal_answers <= MOST_EQUAL:
            raise ValueError(f"equal_answers: {self.equal_answers} is not from 1 to {MOST_EQUAL}")
        if not 1 <= self.silent_s <= MOST_SILENT_S:
            raise ValueError(f"silent_s: {self.silent_s} is not from 1 to {MOST_SILENT_S:.0f}")
        if self.home_assistant and not re.fullmatch(PREFIX, self.home_assistant):
            raise ValueError(
                f"home_assistant: {self.home_assistant!r} is no prefix of topics; "
                "use up to three levels of letters, digits, '_' and '-'"
            )
