"""The operator's signature goes with a deployment wherever it goes; what is not signed goes nowhere."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker.access.operator_key import public_key
from broker.access.trust import Trust
from broker.bus.seam import Message
from broker.messages import Spec
from broker.topics import SPEC
from coordinator.fog.signer import Signer
from models.bundle import Bundle
from tests.coordinator.fog.desk import Desk, restarted, serving
from tests.coordinator.fog.test_takeover import newcomer
from tests.coordinator.fog.toys import NAME, SITE, bundle, gone, report, wish

KEY = Ed25519PrivateKey.generate()
OPERATOR = public_key(KEY)


def signed_wish(of: Bundle, revision: int = 1, days: int = 1) -> Message:
    """Return what `deploy --key` says."""
    spec = Spec.decode(wish(of, revision).payload)
    return Message(wish(of).topic, Signer(KEY, days).signed(spec).encode())


def signed_serving(*nodes: str) -> Desk:
    desk = Desk(*nodes, stored=bundle())
    desk.hear(signed_wish(bundle()))
    desk.ready(*nodes)
    assert desk.phase == "serving"
    return desk


def runs(desk: Desk, node: str) -> bool:
    """Return whether an enrolled fog node runs what it was told, something at that."""
    told = desk.assignment(node)
    return bool(told.partitions) and not Trust(OPERATOR).refusal_of(told, 0.0)


def test_every_assignment_carries_the_signature_of_its_spec() -> None:
    desk = signed_serving("a", "b")
    assert runs(desk, "a")
    assert runs(desk, "b")


def test_an_unsigned_deployment_is_told_to_nodes_and_enrolled_ones_refuse_it() -> None:
    assert not runs(serving("a"), "a")


def test_a_repair_needs_no_key() -> None:
    desk = signed_serving("a", "b")
    desk.hear(gone("b"))
    assert runs(desk, "a")
    assert desk.assignment("a").epoch == 2


def test_a_redeploy_without_a_key_keeps_the_signature() -> None:
    desk = signed_serving("a")
    spec = Spec.decode(desk.said[SPEC.at(SITE, deployment=NAME)])
    again = spec.model_copy(update={"revision": spec.revision + 1})
    desk.hear(Message(SPEC.at(SITE, deployment=NAME), again.encode()))
    assert desk.assignment("a").epoch == 2
    assert runs(desk, "a")


def test_it_outlasts_a_restart_of_the_coordinator() -> None:
    again = restarted(signed_serving("a"))
    again.pass_time(5.0, "a")
    assert runs(again, "a")


def test_it_outlasts_the_loss_of_the_coordinators_folder() -> None:
    old = signed_serving("a")
    again = newcomer(old, "a", folder=bundle())
    again.pass_time(5.0, "a")
    assert runs(again, "a")
    assert again.assignment("a").epoch == 1


def test_an_enrolled_coordinator_refuses_what_is_not_signed_and_keeps_what_serves() -> None:
    desk = Desk("a", stored=bundle(), operator_key=OPERATOR)
    desk.hear(wish(bundle()))
    assert desk.phase == "failed"
    assert desk.status.reason == f"{NAME} is not signed; deploy it with --key"
    desk.hear(signed_wish(bundle(), revision=2))
    desk.ready("a")
    assert desk.phase == "serving"
    desk.hear(wish(bundle(version="2"), revision=3))
    assert Spec.decode(desk.said[SPEC.at(SITE, deployment=NAME)]).revision == 2
    desk.hear(report("a", desk.assignment("a")))
    assert runs(desk, "a")
