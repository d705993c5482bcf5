"""Which cameras' frames are heard, and which frame is the picture of a state; pure.

Frames cost: a stream of them may be all that a link bears. So a camera's frames are heard only from the
first answer of another label on, until the picture of the new state is there or the old one stands again.
The picture is that of the answer that decided, where its frame was heard: else that of the next that says the same.
"""

from collections import OrderedDict
from typing import Final

from broker.frame import FrameTensor
from coordinator.answers.cameras import Key

WAITS_S: Final = 900.0
"""How long the next frame of a camera is waited for: some send one in minutes."""
CALM_S: Final = 5.0
"""So long frames are heard on when the old label is there again: what flickers subscribes once."""
MOST_OF_A_CAMERA: Final = 48
MOST_BYTES: Final = 32 * 1024 * 1024


class DecidingFrames:
    """The frames that may be asked for."""

    def __init__(self) -> None:
        self._until: dict[Key, float] = {}
        self._decided: dict[Key, str] = {}
        self._frames: dict[Key, OrderedDict[int, FrameTensor]] = {}
        self._bytes = 0

    def heard(self, now: float) -> frozenset[Key]:
        """Return the cameras whose frames are to be heard."""
        for key in [key for key, until in self._until.items() if now >= until]:
            self.forget(key)
        return frozenset(self._until)

    def stirs(self, key: Key, now: float) -> None:
        """Take note of an answer of another label than the state's."""
        self._until[key] = now + WAITS_S

    def calms(self, key: Key, now: float) -> None:
        """Take note of an answer of the state's label, or of none."""
        if key in self._until and key not in self._decided:
            self._until[key] = min(self._until[key], now + CALM_S)

    def decided(self, key: Key, label: str, now: float) -> None:
        """Take note of a new state: its picture is wanted."""
        self._decided[key] = label
        self._until[key] = now + WAITS_S

    def keep(self, frame: FrameTensor) -> None:
        """Take a frame; where there are too many, its camera's oldest is dropped."""
        key, frame_id = (frame.header.deployment, frame.header.camera), frame.header.frame_id
        if key not in self._until:
            return
        own = self._frames.setdefault(key, OrderedDict())
        if frame_id in own:
            return
        own[frame_id] = frame
        self._bytes += frame.data.nbytes
        while own and (len(own) > MOST_OF_A_CAMERA or self._bytes > MOST_BYTES):
            self._bytes -= own.popitem(last=False)[1].data.nbytes

    def answered(self, key: Key, frame_id: int, label: str) -> FrameTensor | None:
        """Return the frame of an answer where it is the picture that is wanted; then no more are heard."""
        own = self._frames.get(key)
        frame = None if own is None else own.get(frame_id)
        if frame is None or self._decided.get(key) != label:
            return None
        self.forget(key)
        return frame

    def forget(self, key: Key) -> None:
        """Hear a camera's frames no more."""
        self._until.pop(key, None)
        self._decided.pop(key, None)
        self._bytes -= sum(frame.data.nbytes for frame in self._frames.pop(key, {}).values())
