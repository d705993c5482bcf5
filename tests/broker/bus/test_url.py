"""Addresses of brokers."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.bus.url import BrokerUrl
from tests.broker.strategies import SECRETS, addresses_with, shows

HOSTS = st.one_of(
    st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?(\.[a-z]{2,5})?", fullmatch=True),
    st.ip_addresses().map(str),
)
WORDS = st.text(min_size=1, max_size=8).filter(str.isprintable)


@given(HOSTS, st.integers(1, 65535), st.booleans())
def test_the_text_parses_back(host: str, port: int, tls: bool) -> None:
    url = BrokerUrl(host, port, tls)
    assert BrokerUrl.parse(str(url)) == url


@given(HOSTS, WORDS)
def test_a_user_may_be_named(host: str, user: str) -> None:
    address = f"[{host}]" if ":" in host else host
    url = BrokerUrl.parse(f"mqtt://{quote(user, safe='')}@{address}")
    assert (url.user, url.port) == (user, 1883)
    assert str(url) == f"mqtt://{address}:1883"


def test_defaults() -> None:
    assert BrokerUrl.parse("mqtt://pi") == BrokerUrl("pi", 1883)
    assert BrokerUrl.parse("mqtts://pi/") == BrokerUrl("pi", 8883, tls=True)


@pytest.mark.parametrize(
    ("text", "shown", "fault"),
    [
        ("", "", "does not begin with mqtt://"),
        ("localhost:1883", "localhost:1883", "does not begin with mqtt://"),
        ("tcp://localhost", "tcp://localhost", "does not begin with mqtt://"),
        ("mqtt://", "mqtt://", "names no host"),
        ("mqtt://:1883", "mqtt://:1883", "names no host"),
        ("mqtt://a b", "mqtt://a…", "names no host"),
        ("mqtt://h:0", "mqtt://h:0", "port 0"),
        ("mqtt://h:70000", "mqtt://h:70000", "a port is 1 to 65535"),
        ("mqtt://h:http", "mqtt://h:…", "a port is 1 to 65535"),
        ("mqtt://h/topic", "mqtt://h…", "nothing may follow"),
        ("mqtt://h?x=1", "mqtt://h…", "nothing may follow"),
        ("mqtt://[::1", "mqtt://[:…", "its host or port is none"),
    ],
)
def test_what_is_no_address(text: str, shown: str, fault: str) -> None:
    with pytest.raises(ValueError, match="is not a broker address") as caught:
        BrokerUrl.parse(text)
    said = str(caught.value)
    assert said.startswith(f"{shown!r} is not a broker address: ")
    assert fault in said
    assert "\n" not in said


@given(st.text())
def test_any_text_is_an_address_or_one_plain_sentence(text: str) -> None:
    try:
        BrokerUrl.parse(text)
    except ValueError as error:
        assert "is not a broker address" in str(error)  # noqa: PT017 - either is right


def test_a_password_in_an_address_is_refused_with_what_to_do() -> None:
    with pytest.raises(ValueError, match="--password-file FILE or set FOGWEAVE_PASSWORD") as caught:
        BrokerUrl.parse("mqtt://me:secret@host")
    assert "secret" not in str(caught.value)


@given(SECRETS.flatmap(lambda secret: st.tuples(st.just(secret), addresses_with(secret))))
def test_no_refusal_shows_a_password(drawn: tuple[str, str]) -> None:
    secret, text = drawn
    try:
        BrokerUrl.parse(text)
    except ValueError as error:
        assert not shows(secret, str(error))  # noqa: PT017 - either is right
