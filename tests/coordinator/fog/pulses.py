"""A fog as its beats tell of it: what each node does in a second, written down as totals."""

from dataclasses import dataclass, field

from broker.messages import Beat, NodeInfo
from coordinator.fog.served import Served, chains
from coordinator.fog.watch import Watch
from tests.coordinator.fog.toys import NAME, bundle, info

SECONDS = 0.02
"""What a branch should take; the fusion takes next to nothing."""


@dataclass
class Teller:
    """One fog node and its totals."""

    node: str
    session: int = 1
    sequence: int = 0
    echo_s: float = 0.01
    slower: float = 1.0
    silent: bool = False
    answers: int = 0
    incomplete: int = 0
    missing: dict[str, int] = field(default_factory=dict)
    response_s: float = 0.04

    def beat(self, placement: dict[str, str], fusion: tuple[str, ...]) -> Beat:
        """Return its next beat."""
        self.sequence += 1
        fuses = self.node in fusion
        took = {
            part: 1e-4 if part == "fusion" else SECONDS * self.slower
            for part, node in placement.items()
            if node == self.node
        }
        return Beat(
            session=self.session,
            sequence=self.sequence,
            epoch=1,
            load=0.1,
            queues={},
            counters={},
            echo_s=self.echo_s,
            answers={NAME: self.answers} if fuses else {},
            incomplete={NAME: self.incomplete} if fuses else {},
            missing={NAME: dict(self.missing)} if fuses else {},
            seconds={NAME: took} if took else {},
            response_s={NAME: self.response_s} if fuses and self.answers else {},
        )


class Fog:
    """Fog nodes that serve one deployment of a branch a node, its fusion on the first, and who watches."""

    def __init__(self, *nodes: str, frames_per_s: float = 20.0, standby: str = "") -> None:
        self.tellers = {node: Teller(node) for node in nodes}
        self.frames_per_s = frames_per_s
        of = bundle(branches=len(nodes))
        self.placement = {f"branch{b}-stage0": node for b, node in enumerate(nodes)}
        self.placement["fusion"] = nodes[0]
        self.fusion = (nodes[0], standby) if standby else (nodes[0],)
        self.chains = chains(of, self.placement)
        self.watch = Watch()
        self.now = 0.0
        self.serve()

    def serve(self) -> None:
        """Have the watch told that this serves from now on."""
        expected = dict.fromkeys(self.placement, SECONDS) | {"fusion": 1e-4}
        epoch = Served(1, self.now, self.placement, expected, 0.04, self.fusion, self.chains)
        self.watch.serve(NAME, epoch)

    @property
    def alive(self) -> dict[str, NodeInfo]:
        """What the fleet says of the nodes."""
        return {node: info(node, teller.session) for node, teller in self.tellers.items()}

    def answer(self, node: str, lacking: float = 0.0, *tensors: str) -> None:
        """Have a node answer a second's frames, this share of them without these tensors."""
        teller = self.tellers[node]
        lost = round(self.frames_per_s * lacking)
        teller.answers += round(self.frames_per_s)
        teller.incomplete += lost
        for tensor in tensors:
            teller.missing[tensor] = teller.missing.get(tensor, 0) + lost

    def beat(self, order: list[str] | None = None) -> None:
        """Have every node beat once, in this order."""
        for node in order or list(self.tellers):
            teller = self.tellers[node]
            if not teller.silent:
                self.watch.beat(node, teller.beat(self.placement, self.fusion), self.now)

    def seconds(self, count: int, lacking: float = 0.0, *tensors: str) -> None:
        """Let seconds go by in which the first answers."""
        for _ in range(count):
            self.now += 1.0
            self.answer(self.fusion[0], lacking, *tensors)
            self.beat()
            self.watch.judge(self.now)

    def until_found(self, node: str, limit: int, lacking: float = 0.0, *tensors: str) -> int:
        """Let seconds go by until something stands against a node; return how many it took."""
        for second in range(1, limit + 1):
            self.seconds(1, lacking, *tensors)
            if node in self.watch.reasons(self.alive, self.now):
                return second
        raise AssertionError(f"nothing was found against {node} in {limit} s")

    @property
    def unused(self) -> dict[str, str]:
        """Who is not to be used."""
        return self.watch.unused(self.alive, self.now)

    @property
    def reasons(self) -> dict[str, str]:
        """What stands against whom."""
        return self.watch.reasons(self.alive, self.now)

    @property
    def factors(self) -> dict[str, float]:
        """Who is how slow."""
        return self.watch.factors(self.alive, self.now)
