"""Addresses of brokers."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.bus.url import BrokerUrl

HOSTS = st.one_of(
    st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?(\.[a-z]{2,5})?", fullmatch=True),
    st.ip_addresses().map(str),
)
WORDS = st.text(min_size=1, max_size=8).filter(str.isprintable)


@given(HOSTS, st.integers(1, 65535), st.booleans())
def test_the_text_parses_back(host: str, port: int, tls: bool) -> None:
    url = BrokerUrl(host, port, tls)
    assert BrokerUrl.parse(str(url)) == url


@given(HOSTS, WORDS, WORDS)
def test_users_and_passwords_are_never_shown(host: str, user: str, password: str) -> None:
    address = f"[{host}]" if ":" in host else host
    url = BrokerUrl.parse(f"mqtt://{quote(user, safe='')}:{quote(password, safe='')}@{address}")
    assert (url.user, url.password, url.port) == (user, password, 1883)
    assert str(url) == f"mqtt://{address}:1883"
    assert "password" not in repr(url)


def test_defaults() -> None:
    assert BrokerUrl.parse("mqtt://pi") == BrokerUrl("pi", 1883)
    assert BrokerUrl.parse("mqtts://pi/") == BrokerUrl("pi", 8883, tls=True)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "does not begin with mqtt://"),
        ("localhost:1883", "does not begin with mqtt://"),
        ("tcp://localhost", "does not begin with mqtt://"),
        ("mqtt://", "names no host"),
        ("mqtt://:1883", "names no host"),
        ("mqtt://a b", "names no host"),
        ("mqtt://h:0", "port 0"),
        ("mqtt://h:70000", "Port out of range"),
        ("mqtt://h:http", "Port could not be cast"),
        ("mqtt://h/topic", "nothing may follow"),
        ("mqtt://h?x=1", "nothing may follow"),
        ("mqtt://[::1", "Invalid IPv6"),
    ],
)
def test_what_is_no_address(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match="is not a broker address") as caught:
        BrokerUrl.parse(text)
    assert fault in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.text())
def test_any_text_is_an_address_or_one_plain_sentence(text: str) -> None:
    try:
        BrokerUrl.parse(text)
    except ValueError as error:
        assert "is not a broker address" in str(error)  # noqa: PT017 - either is right


def test_a_fault_does_not_show_the_password() -> None:
    with pytest.raises(ValueError, match="is not a broker address") as caught:
        BrokerUrl.parse("http://me:secret@host")
    assert "secret" not in str(caught.value)
