"""What the coordinator makes of what its nodes' beats say: told as stories, second by second."""

from broker.actions import Publish
from broker.bus.seam import Message
from broker.messages import OFFLINE, Assignment, Beat, Status
from broker.topics import NODE_ASSIGNMENT, NODE_BEAT, NODE_INFO, NODE_STATE, STATUS
from coordinator.fog.comparison import STEADY_S
from coordinator.fog.penalty import FIRST_S
from coordinator.fog.tenure import LISTEN_S
from models.bundle import Bundle
from tests.coordinator.fog.desk import Desk, saved
from tests.coordinator.fog.toys import NAME, SITE, bundle, gone, here, report, wish

UNIX = 1_800_000_000.0
SECONDS = 0.01
"""What the toys' reports say that every partition takes."""


class Site(Desk):
    """A desk whose nodes beat once a second, and a camera that sends 20 frames in each."""

    def __init__(self, *nodes: str, of: Bundle, memory: int = 1_000_000) -> None:
        super().__init__(stored=of, wall_s=UNIX)
        self.nodes = {node: {"echo_s": 0.01, "slower": 1.0} for node in nodes}
        self.answers: dict[str, int] = dict.fromkeys(nodes, 0)
        self.lacking: dict[str, int] = dict.fromkeys(nodes, 0)
        self.frames_per_s, self.sequence, self.lacks = 20, 0, ""
        self.prepared: dict[str, Assignment] = {}
        for node in nodes:
            self.hear(*here(node, memory=memory))
        self.hear(wish(of))
        self.answer()

    def answer(self) -> None:
        """Have every node report ready that was told to prepare."""
        while self.phase == "preparing" and self.report():
            pass

    def report(self) -> bool:
        """Have the nodes report ready that have not; return whether there were any."""
        reported = False
        for node in self.nodes:
            topic = NODE_ASSIGNMENT.at(SITE, node=node)
            told = self.assignment(node) if self.said.get(topic) else None
            if told is not None and told.phase == "prepare" and told != self.prepared.get(node):
                self.prepared[node] = told
                self.hear(report(node, told))
                reported = True
        return reported

    def beat_of(self, node: str) -> None:
        """Have a node beat."""
        topic = NODE_ASSIGNMENT.at(SITE, node=node)
        told = self.assignment(node) if self.said.get(topic) else None
        parts = [] if told is None or told.phase != "serve" else told.partitions
        fuses = any(part.fusion is not None and not part.fusion.first for part in parts)
        if fuses:
            self.answers[node] += self.frames_per_s
            self.lacking[node] += self.frames_per_s // 2 if self.lacks else 0
        feats = self.nodes[node]
        pulse = Beat(
            session=1,
            sequence=self.sequence,
            epoch=0,
            load=0.0,
            queues={},
            counters={},
            echo_s=feats["echo_s"],
            answers={NAME: self.answers[node]},
            incomplete={NAME: self.lacking[node]},
            missing={NAME: {self.lacks: self.lacking[node]}} if self.lacks else {},
            seconds={NAME: {part.id: SECONDS * feats["slower"] for part in parts}},
            response_s={NAME: 0.04} if fuses else {},
        )
        self.hear(Message(NODE_BEAT.at(SITE, node=node), pulse.encode()))

    def seconds(self, count: float) -> list[Status]:
        """Let time pass; return what people were told meanwhile."""
        before, until = len(self.all), self.now + count
        while self.now < until:
            self.now += 1.0
            self.sequence += 1
            for node in self.nodes:
                self.beat_of(node)
            self.beat()
            for _ in range(5):
                self.take(self.controller.tick(self.now))
                self.now += 0.1
            self.now -= 0.5
            self.answer()
        topic = STATUS.at(SITE, deployment=NAME)
        told = [a for a in self.all[before:] if isinstance(a, Publish) and a.topic == topic]
        return [Status.decode(action.payload) for action in told]

    @property
    def used(self) -> set[str]:
        """Who serves."""
        return set(self.status.placement.values())


def steady(*nodes: str, branches: int = 2, macs: int = 10_000_000, memory: int = 1_000_000) -> Site:
    """Return a site that has served for long enough to be placed for its rate."""
    site = Site(*nodes, of=bundle(branches, macs=macs), memory=memory)
    site.seconds(4 * STEADY_S)
    assert (site.phase, site.status.degraded, site.status.slow) == ("serving", "", {})
    return site


def test_a_steady_site_is_left_alone_and_people_are_not_told_every_second() -> None:
    site = steady("a", "b", "c")
    epoch = site.active.epoch
    assert site.seconds(60) == []
    assert site.active.epoch == epoch
    assert site.status.measured is not None
    assert site.status.measured.frames_per_s == 20.0
    assert site.status.predicted is not None
    assert site.status.predicted.frames_per_s is not None
    assert site.status.predicted.frames_per_s >= 25.0


def test_what_is_predicted_is_for_the_rate_that_is_served_also_where_nothing_moves() -> None:
    site = steady("a")  # nowhere else to go
    assert site.active.epoch == 1
    assert site.status.predicted is not None
    assert site.status.predicted.p95_s is not None
    assert site.status.predicted.p95_s >= site.status.predicted.response_s


def test_what_partitions_take_is_learned_while_they_serve() -> None:
    site = steady("a")
    for feats in site.nodes.values():
        feats["slower"] = 1.3  # more than it measured at loading, and not slow
    site.seconds(30)
    assert set(site.controller.fleet.measured.values()) == {1.3 * SECONDS}
    assert site.status.slow == {}


def test_a_site_whose_answering_nodes_all_fell_silent_goes_on_with_the_next_that_comes() -> None:
    site = steady("a")
    del site.nodes["a"]
    site.seconds(5)
    site.nodes["b"] = {"echo_s": 0.01, "slower": 1.0}
    site.answers["b"] = site.lacking["b"] = 0
    site.hear(*here("b"))
    site.seconds(2)
    assert (site.phase, site.used) == ("serving", {"b"})


def test_a_node_that_hears_nothing_is_replaced_at_once() -> None:
    site = steady("a", "b", "c")
    deaf, epoch = min(site.used), site.active.epoch
    site.nodes[deaf]["echo_s"] = 1.7
    told = site.seconds(1)
    assert deaf not in site.used
    assert site.phase == "serving"
    assert [status.phase for status in told if status.epoch > epoch] == ["preparing", "serving"]
    site.seconds(2)
    assert site.status.slow == {deaf: "hears the broker 1.7 s late"}
    assert site.status.degraded == ""  # what serves now is as it should be


def test_a_node_that_hears_again_is_used_again_only_if_that_is_worth_it() -> None:
    site = steady("a", "b")
    epoch = site.active.epoch
    (spare,) = {"a", "b"} - {next(iter(site.used))} if len(site.used) == 1 else {"b"}
    site.nodes[spare]["echo_s"] = 1.7
    site.seconds(1)
    site.nodes[spare]["echo_s"] = 0.01
    site.seconds(FIRST_S + 3 * STEADY_S)
    assert site.status.slow == {}
    assert site.active.epoch <= epoch + 2  # away from it, and back at most


def test_a_slow_node_gives_its_work_away() -> None:
    site = steady("a", "b", "c")
    slow = min(site.used)
    site.nodes[slow]["slower"] = 10.0
    site.seconds(4)
    assert slow not in site.used
    site.seconds(2)
    assert site.status.slow == {slow: "takes 10.0 times as long as expected"}


def test_where_all_are_slow_each_is_tried_and_then_seldom_again() -> None:
    site = steady("a", "b", "c")
    epoch = site.active.epoch
    for feats in site.nodes.values():
        feats["slower"] = 3.0
    site.seconds(300)
    assert site.active.epoch <= epoch + 8


def test_who_makes_what_is_missing_is_replaced() -> None:
    site = steady("a", "b", "c")
    fusion = site.status.placement["fusion"]
    (branch, maker) = next(
        (part, node) for part, node in sorted(site.status.placement.items()) if node != fusion
    )
    site.lacks = branch.replace("stage0", "logits")
    site.seconds(3)
    assert maker not in site.used


def test_where_nothing_fits_without_it_a_node_is_used_all_the_same() -> None:
    site = steady("a", "b", memory=2000)
    assert site.used == {"a", "b"}
    epoch = site.active.epoch
    site.nodes["b"]["echo_s"] = 1.7
    site.seconds(3)
    assert (site.phase, site.active.epoch, site.used) == ("serving", epoch, {"a", "b"})
    assert site.status.degraded == "b hears the broker 1.7 s late"


def test_where_nothing_serves_a_node_that_is_not_to_be_used_is_better_than_none() -> None:
    site = steady("a", "b", memory=2000)
    site.nodes["b"]["echo_s"] = 1.7
    site.seconds(2)
    site.hear(*here("c", memory=2000))
    site.hear(gone("a"))
    site.nodes.pop("a")
    site.nodes["c"] = {"echo_s": 0.01, "slower": 1.0}
    site.answers["c"] = site.lacking["c"] = 0
    site.seconds(2)
    assert site.used == {"b", "c"}


def test_people_are_told_which_node_of_what_serves_is_gone() -> None:
    site = Site("a", "b", of=bundle(), memory=2000)
    site.seconds(3)
    site.nodes.pop("b")
    site.hear(gone("b"))
    site.seconds(2)
    assert site.phase == "waiting"
    assert site.status.degraded == "b is gone"


def test_since_when_it_serves_is_known_over_a_restart() -> None:
    site = steady("a", "b")
    again = Desk(restored=saved(site), acts=False, wall_s=UNIX + 1000, session=101)
    again.hear(Message(STATUS.at(SITE, deployment=NAME), site.status.encode()))
    again.hear(*here("a"), *here("b"))
    again.now = LISTEN_S
    again.take(again.controller.tick(again.now))
    assert again.status.since == site.status.since
    assert UNIX < again.status.since < UNIX + 1000


def test_a_node_that_was_cleared_is_forgotten() -> None:
    site = steady("a", "b")
    site.hear(gone("b"))
    site.nodes.pop("b")
    site.seconds(2)
    topic = NODE_ASSIGNMENT.at(SITE, node="b")
    for cleared in (topic, NODE_INFO.at(SITE, node="b"), NODE_STATE.at(SITE, node="b")):
        site.hear(Message(cleared, b""))
    assert site.said[topic] == b""
    assert "b" not in site.controller.fleet.nodes
    site.hear(wish(bundle(version="2"), revision=5))
    site.seconds(3)
    assert site.said[topic] == b""  # and nobody says anything to it again
    site.hear(Message(NODE_STATE.at(SITE, node="b"), OFFLINE))
    assert not site.controller.fleet.alive(site.now).keys() & {"b"}
