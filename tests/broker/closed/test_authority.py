"""Certificates of a site's own authority: for every name, renewed in time, none without the time."""

import datetime as dt
import ssl

import pytest
from cryptography import x509

from broker.closed.authority import (
    ClockError,
    certificate_pem,
    certify_broker,
    check_clock,
    is_host,
    make_authority,
    needs_renewal,
    new_key,
    own_names,
)

NOW = dt.datetime(2026, 11, 25, tzinfo=dt.UTC)
NAMES = ("broker.local", "192.168.1.5", "fd00::5")


def certified(names: tuple[str, ...] = NAMES) -> tuple[x509.Certificate, x509.Certificate]:
    authority_key = new_key()
    authority = make_authority("home", authority_key, NOW)
    return authority, certify_broker(names, new_key(), authority, authority_key, NOW)


def test_a_broker_is_certified_for_its_names_by_an_authority_that_clients_take() -> None:
    authority, broker = certified()
    broker.verify_directly_issued_by(authority)
    names = broker.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["broker.local"]
    assert list(map(str, names.get_values_for_type(x509.IPAddress))) == ["192.168.1.5", "fd00::5"]
    context = ssl.create_default_context(cadata=certificate_pem(authority).decode())
    assert context.cert_store_stats() == {"x509": 1, "crl": 0, "x509_ca": 1}


def test_a_clock_that_is_a_little_slow_is_no_obstacle_and_one_before_2020_is_told_of() -> None:
    assert all(each.not_valid_before_utc.year == 2020 for each in certified())
    check_clock(NOW)
    with pytest.raises(ClockError, match=r"clock of this machine says 1970-01-01.*set it"):
        check_clock(dt.datetime(1970, 1, 1, tzinfo=dt.UTC))


def test_a_certificate_is_renewed_a_month_before_its_end_or_when_a_name_is_new() -> None:
    _, broker = certified()
    end = broker.not_valid_after_utc
    assert not needs_renewal(broker, NAMES, NOW)
    assert not needs_renewal(broker, NAMES[:1], NOW)
    assert not needs_renewal(broker, NAMES, end - dt.timedelta(days=31))
    assert needs_renewal(broker, NAMES, end - dt.timedelta(days=29))
    assert needs_renewal(broker, (*NAMES, "192.168.1.6"), NOW)


def test_no_broker_outlives_its_authority() -> None:
    authority_key = new_key()
    authority = make_authority("home", authority_key, NOW)
    late = authority.not_valid_after_utc - dt.timedelta(days=100)
    broker = certify_broker(NAMES, new_key(), authority, authority_key, late)
    assert broker.not_valid_after_utc == authority.not_valid_after_utc


def test_this_machine_has_names_that_a_certificate_can_carry() -> None:
    assert {"localhost", "127.0.0.1", "::1"} <= set(own_names())
    assert certified(own_names())


@pytest.mark.parametrize(
    "name", ["", "a b", "-x", "x-", "a..b", "mqtt://x", "é", "x:1883", "a" * 64]
)
def test_what_is_no_host(name: str) -> None:
    assert not is_host(name)


@pytest.mark.parametrize("name", ["pi", "pi.local", "192.168.1.5", "::1", "fd00::5", "a" * 63])
def test_what_is_a_host(name: str) -> None:
    assert is_host(name)
