"""One attack on a fog of real processes: streams before it, through it, and after everything restarted."""

import time
from dataclasses import dataclass, field
from typing import Any, Final

import psutil
from rich.console import Console

from benchmarks.chaos.broker_process import BROKER
from benchmarks.chaos.parts import COORDINATOR, wait_until
from benchmarks.chaos.stage import SITE, Stage
from benchmarks.hostile.attackers import attackers, spies, stolen
from benchmarks.hostile.mutations import Mutator
from benchmarks.hostile.spy import Spy

MEASURED_S: Final = 15.0
"""So long it is streamed before anything counts, and so long what counts."""
_SAMPLE_S: Final = 1.0
_BURST_S: Final = 0.02
_FOR_EVER_S: Final = 1e6


@dataclass(slots=True)
class Found:
    """What an attack did: rates in answers a second, memory in bytes by process."""

    sent: int = 0
    seconds: float = 0.0
    ended: list[str] = field(default_factory=list)
    rates: dict[str, float] = field(default_factory=dict)
    before: dict[str, int] = field(default_factory=dict)
    most: dict[str, int] = field(default_factory=dict)

    def row(self) -> dict[str, Any]:
        """Return it as the table and ``--json`` have it."""
        growth = {
            name: most / self.before[name] - 1
            for name, most in self.most.items()
            if name in self.before
        }
        before = self.rates["before"]
        return {
            "sent": self.sent,
            "seconds": self.seconds,
            "ended": len(self.ended),
            "memory": max(growth.values()),
            "goodput": min(self.rates["during"], self.rates["after"]) / before,
            "rates": self.rates,
            "growth": growth,
            "ends": self.ended,
        }


class Attack:
    """Attackers on a stage, one after the other in turns: anybody, or stolen devices."""

    def __init__(
        self, stage: Stage, rate: float, console: Console, seed: int, measured_s: float = MEASURED_S
    ) -> None:
        self._stage, self._rate, self._seed, self._console = stage, rate, seed, console
        self._measured_s = measured_s
        self._found = Found()

    def run(self, messages: int) -> Found:
        """Send so many hostile messages, then restart everything; return what came of it."""
        stage, found = self._stage, self._found
        spy = Spy(spies(stage))
        self._stream()
        for node in stolen(stage):
            stage.parts.kill(node)
        self._wait(self._measured_s, "streaming")
        found.rates["before"] = self._measured("before")
        found.before = self._memory()
        mutator = Mutator(spy.seen(), SITE, self._seed)
        spy.close()
        begun = time.time()
        self._flood(mutator, messages)
        found.seconds = time.time() - begun
        found.rates["during"] = self._answers(begun) / found.seconds
        self._look()
        self._restart()
        self._wait(self._measured_s, "streaming again")
        found.rates["after"] = self._measured("after")
        self._look()
        return found

    def _flood(self, mutator: Mutator, messages: int) -> None:
        found, burst = self._found, max(1, int(self._rate * _BURST_S))
        sample_at = 0.0
        stolen_from = attackers(self._stage)
        floods = [attacker.connect() for attacker in stolen_from]
        turns = 0
        with self._console.status("attacking") as bar:
            begun = time.monotonic()
            while found.sent < messages:
                turns += 1
                turn = turns % len(floods)
                for _ in range(min(burst, messages - found.sent)):
                    hostile = mutator.next(stolen_from[turn].own)
                    try:
                        floods[turn].publish(hostile.topic, hostile.payload, retain=hostile.retain)
                    except OSError:  # the broker cut us off
                        floods[turn] = stolen_from[turn].connect()
                    found.sent += 1
                now = time.monotonic()
                if now >= sample_at:
                    sample_at = now + _SAMPLE_S
                    self._look()
                    bar.update(f"{found.sent:,} of {messages:,} hostile messages")
                time.sleep(max(0.0, begun + found.sent / self._rate - time.monotonic()))
        for flood in floods:
            flood.close()

    def _stream(self) -> None:
        stage = self._stage
        for camera in stage.setting.cameras:
            stage.stream(camera, seconds=_FOR_EVER_S)
        wait_until(lambda: len(stage.cameras.answers()) > 0, "the first answers")

    def _restart(self) -> None:
        """End everything, the cameras too, and start it again; what is retained stays."""
        stage, parts = self._stage, self._stage.parts
        parts.end(*(name for name in parts.pids() if name != BROKER))
        serving = (COORDINATOR, *(n for n in stage.setting.node_names if n not in stolen(stage)))
        for part in serving:
            stage.start(part)
        for part in serving:
            parts.wait_ready(part)
        self._stream()

    def _measured(self, what: str) -> float:
        begun = time.time()
        self._wait(self._measured_s, f"measuring {what}")
        return self._answers(begun) / (time.time() - begun)

    def _answers(self, since: float) -> int:
        return sum(answer.at >= since for answer in self._stage.cameras.answers())

    def _wait(self, seconds: float, doing: str) -> None:
        with self._console.status(doing):
            time.sleep(seconds)

    def _memory(self) -> dict[str, int]:
        """Return the resident bytes of everyone, by the part they play."""
        pids = self._stage.parts.pids() | {BROKER: self._stage.broker.pids[-1]}
        memory = {}
        for name, pid in pids.items():
            try:
                memory[name.partition("-start-")[0]] = psutil.Process(pid).memory_info().rss
            except psutil.Error:  # it has just ended
                continue
        return memory

    def _look(self) -> None:
        """Take note of who takes more memory than ever, and of who ended."""
        found, memory = self._found, self._memory()
        found.most |= {name: max(size, found.most.get(name, 0)) for name, size in memory.items()}
        everyone = (COORDINATOR, *self._stage.setting.node_names, *self._stage.setting.cameras)
        for part in everyone:
            code = self._stage.parts.code(part)
            if code is not None and part not in (*found.ended, *stolen(self._stage)):
                found.ended.append(part)
