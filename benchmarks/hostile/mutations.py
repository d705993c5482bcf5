"""Messages as an attacker makes them: real ones, changed; pure."""

import json
import random
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgpack

from broker.bus.seam import Message
from broker.topics import TOPICS, Topic

_INVENTED_IDS: Final = 20_000
_INVENTED_RETAINED: Final = 100
"""A broker keeps what is retained; that it keeps so much is its own affair, not what is tried here."""
_NUMBERS: Final = (
    0, -1, 1, 2**31, 2**53 - 1, 2**53, 2**53 + 1, 2**63 - 1, 2**63, 2**64, 10**400,
    0.5, -0.0, 5e-324, 1e9, 1e308, -1e308, float("inf"), float("nan"),
)  # fmt: skip
_TEXTS: Final = (
    "", "a", "-", "coordinator", "A" * 65, "b" * 20_000, "../../../etc/passwd", "+/#", "\0",
    "\x1b[2J\x1b]0;owned\a", "line\nfog-coordinator is ready", "\N{BOMB}\u202etxt", "ready", "failed",
    "serve", "retire", "0" * 64, "f" * 64,
)  # fmt: skip
_HUGE: Final = (200_000, 2_000_000)
_MAGICS: Final = (b"FWT1", b"FWC1")


@dataclass(frozen=True, slots=True)
class Hostile:
    """One message of an attacker, of QoS 0."""

    topic: str
    payload: bytes
    retain: bool


class Mutator:
    """Makes hostile messages of what was ``seen`` of a site, by chance but from a seed."""

    def __init__(self, seen: Mapping[Topic, Sequence[Message]], site: str, seed: int) -> None:
        self._draw = random.Random(seed)
        self._site = site
        self._seen = {topic: list(messages) for topic, messages in seen.items() if messages}
        self._all = [message for messages in self._seen.values() for message in messages]
        self._names = _names(self._seen)
        self._kinds: tuple[tuple[float, Callable[[bytes], bytes]], ...] = (
            (0.05, lambda payload: payload),
            (0.25, self._bytes_changed),
            (0.50, self._fields_changed),
            (0.15, lambda _: self._draw.choice(self._all).payload),
            (0.0498, lambda _: self._draw.randbytes(self._draw.randrange(64))),
            (0.0002, lambda _: bytes(self._draw.randint(*_HUGE))),
        )

    def next(self, own: dict[str, str] | None = None) -> Hostile:
        """Return another one: on any topic, about what is there or what was never heard of.

        Every other one speaks as who has the ``own`` names, by level of a topic, where some are given.
        """
        draw = self._draw
        own = own or {}
        if own and draw.random() < 0.5:
            levels = [f"{{{level}}}" for level in own]
            topic = draw.choice([t for t in TOPICS if any(each in t.pattern for each in levels)])
        else:
            topic, own = draw.choice(TOPICS), {}
        retain = topic.retained and draw.random() < 0.5
        real = draw.choice(self._seen.get(topic) or self._all)
        if not own and draw.random() < 0.5 and topic in self._seen:
            where = real.topic
        else:
            names = self._filled_in(topic, retained=retain)
            where = topic.at(self._site, **(names | own))
        if topic.retained and draw.random() < 0.02:
            return Hostile(where, b"", retain=True)
        (_, change) = draw.choices(self._kinds, [weight for weight, _ in self._kinds])[0]
        return Hostile(where, change(real.payload), retain)

    def _filled_in(self, topic: Topic, *, retained: bool) -> dict[str, str]:
        """Return names for a topic, real ones or invented."""
        invented = self._draw.randrange(_INVENTED_RETAINED if retained else _INVENTED_IDS)
        real = self._draw.random() < 0.7
        return {
            level[1:-1]: self._draw.choice(self._names.get(level[1:-1], ["1"]))
            if real
            else str(invented)
            for level in topic.pattern.split("/")
            if level.startswith("{")
        }

    def _bytes_changed(self, payload: bytes) -> bytes:
        draw = self._draw
        if not payload:
            return b"\0"
        match draw.randrange(4):
            case 0:
                return payload[: draw.randrange(len(payload))]
            case 1:
                return payload + draw.randbytes(draw.randrange(1, 64))
            case 2:
                at = draw.randrange(len(payload))
                return payload[:at] + draw.randbytes(4) + payload[at:]
            case _:
                data = bytearray(payload)
                for _ in range(draw.randrange(1, 9)):
                    data[draw.randrange(len(data))] = draw.randrange(256)
                return bytes(data)

    def _fields_changed(self, payload: bytes) -> bytes:
        """Return the message with one field that was changed, went away, or came."""
        if payload[:4] in _MAGICS:
            return self._header_changed(payload)
        try:
            value = json.loads(payload)
        except ValueError:
            return self._bytes_changed(payload)
        if self._draw.random() < 0.01:
            return b"[" * 100_000
        return json.dumps(self._changed(value)).encode()

    def _header_changed(self, payload: bytes) -> bytes:
        (length,) = struct.unpack_from("<I", payload, 4)
        header = msgpack.unpackb(payload[8 : 8 + length])
        raw = payload[8 + length + -(8 + length) % 16 :]
        try:
            packed: bytes = msgpack.packb(self._changed(header))
        except (OverflowError, ValueError, UnicodeEncodeError):  # a number that msgpack has not
            return self._bytes_changed(payload)
        head = payload[:4] + struct.pack("<I", len(packed)) + packed
        return head + bytes(-len(head) % 16) + raw

    def _changed(self, value: Any) -> Any:
        draw = self._draw
        places = list(_places(value))
        if not places or draw.random() < 0.02:
            return self._anything()
        container, key = draw.choice(places)
        match draw.randrange(8):
            case 0 if isinstance(container, dict):
                del container[key]
            case 1 if isinstance(container, dict):
                container[draw.choice(_TEXTS)] = self._anything()
            case 2 if isinstance(container, list):
                container *= draw.randrange(2, 50)
            case 3 | 4 if isinstance(container[key], int | float):
                container[key] = draw.choice(_NUMBERS)
            case 5 | 6 if isinstance(container[key], str):
                names = self._names[draw.choice(sorted(self._names))]
                container[key] = draw.choice([*_TEXTS, *names])
            case _:
                container[key] = self._anything()
        return value

    def _anything(self) -> Any:
        return self._draw.choice([None, True, [], {}, [[]], *_NUMBERS, *_TEXTS])


def _places(value: Any) -> "list[tuple[Any, Any]]":
    """Return every (container, key) inside a value."""
    places: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting:
        container = waiting.pop()
        keys: Any = ()
        if isinstance(container, dict):
            keys = list(container)
        elif isinstance(container, list):
            keys = range(len(container))
        for key in keys:
            places.append((container, key))
            waiting.append(container[key])
    return places


def _names(seen: Mapping[Topic, Sequence[Message]]) -> dict[str, list[str]]:
    """Return the names that real topics are filled in with."""
    found: dict[str, set[str]] = {}
    for topic, messages in seen.items():
        for message in messages:
            for name, value in (topic.names(message.topic) or {}).items():
                found.setdefault(name, set()).add(value)
    return {name: sorted(values) for name, values in found.items()}
