"""`fog-broker run --dir`: TLS and nothing else, renewed in time, and one broker a folder."""

import datetime as dt
import os
import ssl
import threading
from pathlib import Path

import psutil
import pytest
from cryptography import x509

from broker.bus.mqtt import MqttBus
from broker.bus.seam import BusError
from broker.closed import folder as folders
from broker.closed.enrolment import enrol
from broker.closed.folder import ClosedFog, ClosedFogError
from broker.closed.founding import found
from broker.closed.serving import _renew_rights, closed_settings, serve_closed
from broker.engine import mosquitto as engine
from broker.engine.address import EngineError
from broker.engine.listener import Listener
from broker.engine.mosquitto import default_settings
from broker.engine.running import RunningBroker, running_closed_broker
from tests.broker.closed.conftest import NOW, free_port
from tests.broker.closed.device import Device


@pytest.fixture
def own(tmp_path: Path) -> ClosedFog:
    return found(tmp_path / "fog", "home", ["127.0.0.1"], free_port(), NOW)


def certificate(fog: ClosedFog) -> x509.Certificate:
    return x509.load_pem_x509_certificate((fog.mosquitto / "broker.pem").read_bytes())


def served(fog: ClosedFog) -> x509.Certificate:
    pem = ssl.get_server_certificate(("127.0.0.1", fog.settings.port))
    return x509.load_pem_x509_certificate(pem.encode())


def admin_of(fog: ClosedFog) -> Device:
    return Device(fog.settings.port, fog.authority_pem, "x", "admin", fog.admin_password)


def test_settings_are_ours_without_what_lets_anyone_in() -> None:
    ours = default_settings().read_text(encoding="utf-8")
    closed = closed_settings(ours, Listener("0.0.0.0", 8883), "/usr/lib/plugin.so").splitlines()  # noqa: S104
    assert [line for line in closed if "anonymous" in line and line[0] != "#"] == [
        "allow_anonymous false"
    ]
    assert [line for line in closed if line.startswith("listener")] == ["listener 8883 0.0.0.0"]
    for limit in ("max_packet_size", "max_queued_bytes", "set_tcp_nodelay", "persistence false"):
        assert any(line.startswith(limit) for line in closed)


def test_plain_text_is_not_spoken_and_one_broker_runs_on_a_folder(
    own: ClosedFog, mosquitto: RunningBroker
) -> None:
    assert mosquitto.engine == "mosquitto"
    with running_closed_broker(own.folder) as broker:
        assert broker.url == f"mqtts://127.0.0.1:{own.settings.port}"
        (child,) = psutil.Process(broker.pid).children()
        ports = {
            each.laddr.port for each in child.net_connections("tcp") if each.status == "LISTEN"
        }
        assert ports == {own.settings.port}
        with pytest.raises(BusError):
            MqttBus.connect(f"mqtt://127.0.0.1:{own.settings.port}", "x")
        with pytest.raises(ClosedFogError, match=r"a broker runs on .*fog already"):
            serve_closed(own, "127.0.0.1", lambda _: None)


def test_a_certificate_that_lacks_a_name_or_ends_soon_is_renewed_at_the_start(
    own: ClosedFog, mosquitto: RunningBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert mosquitto.engine == "mosquitto"
    before = certificate(own)
    authority = own.authority_pem
    assert not own.renew(NOW)
    monkeypatch.setattr(folders, "own_names", lambda: ("127.0.0.1", "192.0.2.77"))
    assert own.renew(NOW)
    changed = certificate(own)
    assert changed.serial_number != before.serial_number
    assert own.renew(NOW + dt.timedelta(days=710))
    with running_closed_broker(own.folder) as broker:
        assert broker.engine == "mosquitto"
        with admin_of(own) as admin:
            assert admin.accepted == 0
        assert served(own) == certificate(own)
    assert own.authority_pem == authority


def test_a_certificate_is_renewed_while_the_broker_runs_and_nobody_is_cut_off(
    own: ClosedFog, mosquitto: RunningBroker
) -> None:
    assert mosquitto.engine == "mosquitto"
    with running_closed_broker(own.folder) as broker:
        (child,) = psutil.Process(broker.pid).children()
        with admin_of(own) as admin:
            before = served(own)
            assert own.renew(before.not_valid_after_utc - dt.timedelta(days=1))
            child.send_signal(1)
            until = threading.Event()
            for _ in range(200):
                if served(own) != before or until.wait(0.05):
                    break
            assert served(own) == certificate(own) != before
            assert not admin.parted.is_set()
        with admin_of(own) as again:
            assert again.accepted == 0


def test_a_clock_before_2020_is_told_of(own: ClosedFog) -> None:
    with pytest.raises(Exception, match="the clock of this machine says 1970-01-01"):
        own.renew(dt.datetime(1970, 1, 1, tzinfo=dt.UTC))


def test_a_missing_plugin_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_PLUGIN_PLACES", ("/nowhere",))
    with pytest.raises(
        EngineError, match=r"mosquitto_dynamic_security.so\) is not on this machine"
    ):
        engine.dynamic_security_plugin()


@pytest.mark.parametrize(
    "place",
    ["usr/lib/aarch64-linux-gnu", "usr/lib", "opt/homebrew/lib", "usr/lib/x86_64-linux-gnu"],
)
def test_the_plugin_is_found_where_systems_keep_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    plugin = tmp_path / place / "mosquitto_dynamic_security.so"
    plugin.parent.mkdir(parents=True)
    plugin.touch()
    places = tuple(f"{tmp_path}{each}" for each in engine._PLUGIN_PLACES)
    monkeypatch.setattr(engine, "_PLUGIN_PLACES", places)
    assert engine.dynamic_security_plugin() == plugin


def test_a_damaged_folder_is_told_of_by_its_file(own: ClosedFog) -> None:
    (own.mosquitto / "broker.pem").write_text("x")
    with pytest.raises(ClosedFogError, match="a certificate or key is damaged"):
        own.renew(NOW)
    own.users.write_text("[")
    with pytest.raises(ClosedFogError, match=r"dynamic-security.json: no JSON"):
        own.read_users()
    for text, says in (
        ("[" * 50_000, "nested"),
        ('{"clients": [{"username": []}]}', "clients is not"),
    ):
        own.users.write_text(text)
        with pytest.raises(ClosedFogError, match=f"dynamic-security.json: .*{says}"):
            _renew_rights(own)
    own.users.unlink()
    with pytest.raises(ClosedFogError, match=r"dynamic-security.json: No such file"):
        own.read_users()
    (own.folder / "fog.json").write_text("{}")
    with pytest.raises(ClosedFogError, match=r"fog.json: site: Field required"):
        ClosedFog.read(own.folder)
    with pytest.raises(ClosedFogError, match=r"fog-broker init .* --site SITE"):
        ClosedFog.read(own.folder / "nothing")


def test_who_was_enrolled_by_an_earlier_version_has_the_rights_of_this_one(own: ClosedFog) -> None:
    """An operator's ``status`` reads what was not there when it was enrolled."""
    enrol(own, "operator", "me", None)
    enrolled, before = own.read_users(), own.read_users()
    admin = next(each for each in before["roles"] if each["rolename"] == "admin")
    for role in before["roles"]:
        if role is not admin:
            role["acls"] = [each for each in role["acls"] if "/state/" not in each["topic"]]
    own.write_users(before)
    assert own.read_users() != enrolled
    _renew_rights(own)
    assert own.read_users() == enrolled


def test_what_is_there_is_not_overwritten_and_nothing_half_is_left(
    own: ClosedFog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = (own.folder / "operator.key").read_bytes()
    with pytest.raises(ClosedFogError, match="is there already and stays as it is"):
        found(own.folder, "home", [], 8883, NOW)
    assert (own.folder / "operator.key").read_bytes() == key
    (tmp_path / "empty").mkdir()
    assert found(tmp_path / "empty", "home", [], 8883, NOW).settings.site == "home"

    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("broker.closed.founding.write_private", full)
    with pytest.raises(ClosedFogError, match="No space left on device"):
        found(tmp_path / "full", "home", [], 8883, NOW)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "fog"]
