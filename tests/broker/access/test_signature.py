"""What the operator signed runs, and nothing else: the wing's own tests, and those of who asks it."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from broker.access.operator_key import public_key
from broker.access.signature import Subject, holds, sign
from broker.access.trust import Trust
from broker.calibration import Calibration
from broker.messages import Signature
from broker.tensor_specs import InputSpec

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
OPERATOR = public_key(KEY)
TAKEN = InputSpec(name="input", shape=(1, 1, 2, 2), dtype="float32", mean=(0.1,), std=(0.3,))
SUBJECT = Subject("digits", ("cat", "dog"), TAKEN)
A, B, C = "a" * 64, "b" * 64, "c" * 64
SIGNED = sign(KEY, SUBJECT, [B, A], revision=7, expires=1000)

subjects = st.builds(
    Subject,
    st.sampled_from(["digits", "doors"]),
    st.lists(st.sampled_from(["cat", "dog", "cat,dog", ""]), max_size=3).map(tuple),
    st.builds(
        InputSpec,
        name=st.sampled_from(["input", "in"]),
        shape=st.just((1, 1, 2, 2)),
        dtype=st.just("float32"),
        mean=st.floats(0, 1).map(lambda mean: (mean,)),
        std=st.floats(0.1, 1).map(lambda std: (std,)),
    ),
)
signatures = st.builds(
    sign,
    st.just(KEY),
    subjects,
    st.lists(st.sampled_from([A, B, C]), min_size=1),
    st.integers(0, 3),
    st.integers(0, 3),
)


@given(subjects, signatures)
def test_a_signature_holds_for_its_own_subject_as_it_travels_and_for_no_other(
    subject: Subject, foreign: Signature
) -> None:
    signature = sign(KEY, subject, [A], 1, 2)
    assert holds(Signature.decode(signature.encode()), OPERATOR, subject)
    assert not holds(signature, public_key(Ed25519PrivateKey.generate()), subject)
    said = foreign.model_copy(update={"value": signature.value})
    assert holds(said, OPERATOR, subject) == (said == signature)


@given(st.sampled_from([0, 1, 2]), st.text(min_size=1, max_size=3))
def test_no_part_of_what_is_signed_can_be_changed(which: int, other: str) -> None:
    changed = (
        Subject("digits" + other, SUBJECT.classes, TAKEN),
        Subject("digits", ("cat" + other, "dog"), TAKEN),
        Subject("digits", SUBJECT.classes, TAKEN.model_copy(update={"mean": (0.2,)})),
        Subject("digits", SUBJECT.classes, TAKEN.model_copy(update={"fit": "cover"})),
        Subject("digits", SUBJECT.classes, TAKEN, Calibration(threshold=0.5)),
    )[which]
    assert not holds(SIGNED, OPERATOR, changed)
    assert not holds(SIGNED.model_copy(update={"artifacts": (A, B, C)}), OPERATOR, SUBJECT)
    assert not holds(SIGNED.model_copy(update={"expires": 1001}), OPERATOR, SUBJECT)
    assert not holds(SIGNED.model_copy(update={"revision": 8}), OPERATOR, SUBJECT)


def test_without_an_operator_anything_may_run() -> None:
    assert Trust().refusal(None, SUBJECT, {C: "fusion"}, 0.0) == ""


def test_with_an_operator_each_refusal_says_what_is_wrong() -> None:
    trust = Trust(OPERATOR, {"digits": 7}, wall_s=900.0)

    def refusal(signature: Signature | None, *artifacts: str, now: float = 0.0) -> str:
        return trust.refusal(signature, SUBJECT, dict.fromkeys(artifacts, "fusion"), now)

    assert refusal(SIGNED, A, B) == ""
    assert "not signed; deploy it with --key" in refusal(None, A)
    assert "not signed with the key" in refusal(sign(_other(), SUBJECT, [A], 7, 1000), A)
    assert "fusion is not among what was signed" in refusal(SIGNED, A, C)
    assert "has expired" in refusal(SIGNED, A, now=100.0)
    assert "revision 6 of digits was replaced by 7" in refusal(sign(KEY, SUBJECT, [A], 6, 1000), A)


def _other() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()
