"""When the answers to a camera's frames agree on another label: so many equal ones in a row; pure."""

from collections import deque
from typing import Final, Literal

from coordinator.answers.answer import Answer

REPEATS: Final = 64
"""So many frames back an answer that comes again, from the standby or to a frame sent again, is known."""

Meaning = Literal["repeated", "same", "unknown", "other", "agreed"]


class Agreement:
    """The answers to one camera's frames; ``label`` is what they agreed on, None before they did.

    ``confidence`` is that of the answer that decided, ``since`` when the first of that row was heard,
    in monotonic seconds.
    """

    def __init__(self, equal: int) -> None:
        self._equal = equal
        self.label: str | None = None
        self.confidence = 0.0
        self.since = 0.0
        self._row = ""
        self._length = 0
        self._row_since = 0.0
        self._known: deque[int] = deque(maxlen=REPEATS)

    @property
    def stirs(self) -> bool:
        """Whether a row of another label has begun."""
        return self._length > 0

    def hear(self, answer: Answer, now: float) -> Meaning:
        """Take an answer: it repeats one, says the same or nothing, begins another label, or decides."""
        if answer.frame_id in self._known:
            return "repeated"
        self._known.append(answer.frame_id)
        if answer.unknown or answer.label == self.label:
            self._length = 0
            return "unknown" if answer.unknown else "same"
        if not self._length or answer.label != self._row:
            self._row, self._length, self._row_since = answer.label, 0, now
        self._length += 1
        if self._length < self._equal:
            return "other"
        self.label, self.confidence, self.since = answer.label, answer.confidence, self._row_since
        self._length = 0
        return "agreed"

    def resume(self, label: str, confidence: float, since: float) -> None:
        """Go on from what was agreed on before."""
        self.label, self.confidence, self.since = label, confidence, since
