"""An enrolled fog node runs what its operator signed; what it refuses disturbs nothing that serves."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker.access.operator_key import public_key
from broker.access.signature import Subject, sign
from broker.access.trust import Trust
from broker.messages import Assignment
from fog_node.events import Load, Remember
from fog_node.signed_revisions import SignedRevisions
from tests.fog_node.scene import (
    DEPLOYMENT,
    FUSE,
    LEFT,
    PICTURE,
    RIGHT,
    Desk,
    assignment,
    only,
    reports,
    results,
    tensor,
)

KEY = Ed25519PrivateKey.generate()
ALL = (LEFT, RIGHT, FUSE)


def signed(told: Assignment, revision: int = 1, key: Ed25519PrivateKey = KEY) -> Assignment:
    """Return an assignment with the operator's word on it; ours expires in the year 2286."""
    subject = Subject(DEPLOYMENT, ("cat", "dog"), PICTURE)
    artifacts = [part.sha256 for part in told.partitions]
    signature = sign(key, subject, artifacts, revision, 10**10)
    return told.model_copy(update={"signature": signature})


def enrolled() -> Desk:
    return Desk(trust=Trust(public_key(KEY)))


def serving(desk: Desk, epoch: int = 1, revision: int = 1) -> Desk:
    desk.serve(signed(assignment(epoch, *ALL), revision))
    desk.assign(signed(assignment(epoch, *ALL, phase="serve"), revision))
    return desk


def test_what_the_operator_signed_runs() -> None:
    desk = serving(enrolled())
    assert results(desk.run_all(desk.send(tensor("input", 3))))


def test_what_nobody_signed_is_reported_failed_and_nothing_of_it_is_fetched() -> None:
    desk = enrolled()
    told = desk.assign(assignment(1, *ALL))
    assert [(said.status, said.reason) for said in reports(told)] == [
        ("failed", f"{DEPLOYMENT} is not signed; deploy it with --key")
    ]
    assert not only(Load, told)


def test_a_foreign_epoch_neither_ends_nor_replaces_what_serves() -> None:
    desk = serving(enrolled(), epoch=1)
    foreign = Ed25519PrivateKey.generate()
    for epoch in (1, 2):  # the epoch that serves, and a later one
        desk.assign(signed(assignment(epoch, LEFT, phase="serve", classes=("dog", "cat"))))
        desk.assign(signed(assignment(epoch, LEFT, phase="serve"), key=foreign))
    desk.wait(10.0)
    assert results(desk.run_all(desk.send(tensor("input", 3))))


def test_a_revision_that_was_replaced_runs_no_more_not_even_after_a_restart(tmp_path: Path) -> None:
    desk = serving(serving(enrolled(), epoch=1, revision=1), epoch=2, revision=2)
    kept = SignedRevisions(tmp_path / "signed-revisions.json")
    kept.write(only(Remember, desk.done)[-1].revisions)
    again = Desk(trust=Trust(public_key(KEY), kept.read()))
    told = again.assign(signed(assignment(3, *ALL), revision=1))
    assert reports(told)[0].reason == f"revision 1 of {DEPLOYMENT} was replaced by 2"


def test_a_revision_that_never_served_does_not_forbid_the_one_that_does() -> None:
    desk = serving(enrolled(), epoch=1, revision=1)
    desk.assign(signed(assignment(2, *ALL), revision=2))  # prepared, and then given up
    told = desk.serve(signed(assignment(3, *ALL), revision=1))
    assert reports(told)[-1].status == "ready"


def test_damaged_revisions_are_told_and_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "signed-revisions.json"
    path.write_text("[]")
    assert SignedRevisions(path).read() == {}
    SignedRevisions(path).write({"digits": 3})
    assert SignedRevisions(path).read() == {"digits": 3}
