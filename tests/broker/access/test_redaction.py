"""What is said holds no password of an address, and nothing that a terminal acts on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.access.redaction import redacted
from tests.broker.strategies import SECRETS, addresses_with, shows


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("no broker at mqtt://pi:1883", "no broker at mqtt://pi:1883"),
        ("rtsp://me:a@b@cam/1: does not open", "rtsp://… does not open"),
        ("Got unexpected extra argument (me:secret@pi)", "Got unexpected extra argument (…"),
        ("12:00 lost mqtt://me:a b@pi and went on", "12:00 lost mqtt://… and went on"),
        ("\x1b[31mred\nnext", "\\x1b[31mred\\nnext"),
        ("naïve café 0.5 µs", "naïve café 0.5 µs"),
    ],
)
def test_what_is_shown(text: str, shown: str) -> None:
    assert redacted(text) == shown


@given(SECRETS.flatmap(lambda secret: st.tuples(st.just(secret), addresses_with(secret))))
def test_no_password_is_shown_wherever_its_address_stands(drawn: tuple[str, str]) -> None:
    secret, address = drawn
    assert not shows(secret, redacted(f"unexpected argument ({address})"))


@given(st.text())
def test_what_is_printable_is_one_line(text: str) -> None:
    assert redacted(text).isprintable()
