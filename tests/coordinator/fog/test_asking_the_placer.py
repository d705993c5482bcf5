"""Layouts come later than they are asked for: what is no longer asked is not listened to."""

from broker.bus.seam import Message
from broker.topics import SPEC
from coordinator.fog.actions import Action, Place
from coordinator.fog.layout import Layout
from coordinator.fog.placing import Job, Placed, carried_out
from tests.coordinator.fog.desk import Desk, serving
from tests.coordinator.fog.toys import NAME, SITE, bundle, gone, here, wish


def places(actions: list[Action]) -> list[Place]:
    return [action for action in actions if isinstance(action, Place)]


def submitted(desk: Desk, actions: list[Action]) -> Placed:
    """Have the one question in these actions answered, and return the answer for later."""
    (place,) = places(actions)
    desk.questions += 1
    desk.controller.asked(place.deployment, desk.questions)
    return carried_out(Job(place.deployment, desk.questions, place.question.request))


def asking(*nodes: str) -> tuple[Desk, Placed]:
    """Return a desk whose placer takes its time over a new deployment, and what it will answer."""
    of = bundle()
    desk = Desk(*nodes, stored=of)
    desk.places = False
    return desk, submitted(desk, desk.hear(wish(of)))


def test_while_it_is_placed_the_coordinator_goes_on_and_asks_once() -> None:
    desk, answer = asking("a", "b")
    assert not places(desk.pass_time(30.0, "a", "b"))
    assert desk.phase == "fetching"
    desk.take(desk.controller.placed(answer, desk.now))
    assert desk.phase == "preparing"


def test_an_answer_to_other_nodes_is_not_used_and_it_asks_anew() -> None:
    desk, stale = asking("a", "b")
    newer = submitted(desk, desk.hear(gone("b")))
    assert desk.take(desk.controller.placed(stale, desk.now)) == []
    desk.take(desk.controller.placed(newer, desk.now))
    assert set(desk.status.placement.values()) == {"a"}


def test_an_answer_to_a_spec_that_was_overtaken_is_not_used() -> None:
    desk, stale = asking("a")
    submitted(desk, desk.hear(wish(bundle(), revision=2)))
    assert desk.take(desk.controller.placed(stale, desk.now)) == []


def test_what_serves_serves_on_and_its_death_is_seen_when_the_answer_comes() -> None:
    desk = serving("a", "b")
    desk.places = False
    answer = submitted(desk, desk.hear(wish(bundle(), revision=2)))
    assert desk.active.epoch == 1
    newer = submitted(desk, desk.hear(gone("a")))
    assert desk.take(desk.controller.placed(answer, desk.now)) == []
    desk.take(desk.controller.placed(newer, desk.now))
    assert set(desk.status.placement.values()) == {"b"}
    desk.ready("b")
    assert desk.active.epoch == 2


def test_no_answer_makes_a_deployment_that_ended_begin_again() -> None:
    desk, answer = asking("a")
    desk.hear(Message(SPEC.at(SITE, deployment=NAME), b""))
    assert desk.take(desk.controller.placed(answer, desk.now)) == []
    assert desk.controller.deployments.get(NAME) is None


def test_a_reason_instead_of_a_layout_is_told_and_asked_again_when_nodes_come() -> None:
    desk, answer = asking("a")
    nothing = Placed(answer.key, answer.number, None, "the placement took longer than 60 s")
    desk.take(desk.controller.placed(nothing, desk.now))
    assert (desk.phase, desk.status.reason) == ("waiting", "the placement took longer than 60 s")
    assert not places(desk.pass_time(5.0, "a"))
    desk.places = True
    desk.hear(*here("b"))
    assert desk.phase == "preparing"
    assert isinstance(answer.layout, Layout)
