"""Devices come and go, while the broker runs and while it does not, and a restart changes nothing."""

import json
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest

from broker.access.join_file import JoinFile, JoinFileError
from broker.access.rights import client_id_of, rights_of
from broker.closed.enrolment import enrol, revoke
from broker.closed.folder import ClosedFog, ClosedFogError
from broker.closed.founding import found
from broker.engine.running import RunningBroker, running_closed_broker
from broker.topics import NODE_INFO, NODE_REPORT, NODE_STATE
from tests.broker.closed.conftest import NOW, free_port
from tests.broker.closed.device import Device

KICK_S = 5.0


@pytest.fixture
def own(tmp_path: Path) -> ClosedFog:
    """A closed fog that no other test changes."""
    return found(tmp_path / "fog", "home", ["127.0.0.1"], free_port(), NOW)


@contextmanager
def running(fog: ClosedFog, mosquitto: RunningBroker) -> Iterator[RunningBroker]:
    assert mosquitto.engine == "mosquitto"
    with running_closed_broker(fog.folder) as broker:
        yield broker


def given(fog: ClosedFog, role: str, name: str) -> JoinFile:
    return enrol(fog, role, name, fog.folder.parent / f"{role}-{name}.join")  # type: ignore[arg-type]


def device(fog: ClosedFog, joined: JoinFile) -> Device:
    client_id = client_id_of("home", joined.role, joined.id)
    return Device(fog.settings.port, joined.ca, client_id, joined.user, joined.password)


def gets_in(fog: ClosedFog, joined: JoinFile) -> bool:
    with device(fog, joined) as one:
        return one.accepted == 0


def test_a_device_comes_and_goes_while_the_broker_runs_and_a_restart_keeps_it(
    own: ClosedFog, mosquitto: RunningBroker
) -> None:
    before = given(own, "node", "pi-early")
    with running(own, mosquitto):
        hall, attic = given(own, "node", "pi-hall"), given(own, "node", "pi-attic")
        assert gets_in(own, before)
        with ExitStack() as stack:
            one = stack.enter_context(device(own, hall))
            other = stack.enter_context(device(own, attic))
            assert one.write([NODE_STATE.at("home", node="pi-hall")]) == [True]
            gone = revoke(own, "pi-hall")
            assert (gone.role, gone.name, gone.running) == ("node", "pi-hall", True)
            assert one.parted.wait(KICK_S)
            assert not other.parted.is_set()
        assert not gets_in(own, hall)
    with running(own, mosquitto):
        assert not gets_in(own, hall)
        assert gets_in(own, attic)
        assert gets_in(own, before)


def test_a_device_comes_and_goes_while_no_broker_runs(
    own: ClosedFog, mosquitto: RunningBroker
) -> None:
    hall, attic = given(own, "node", "pi-hall"), given(own, "node", "pi-attic")
    assert not revoke(own, "node/pi-hall").running
    with running(own, mosquitto):
        assert not gets_in(own, hall)
        assert gets_in(own, attic)


def test_whoever_was_revoked_can_be_enrolled_again_and_the_old_file_stays_out(
    own: ClosedFog, mosquitto: RunningBroker, tmp_path: Path
) -> None:
    with running(own, mosquitto):
        stolen = given(own, "node", "pi-hall")
        revoke(own, "pi-hall")
        again = enrol(own, "node", "pi-hall", tmp_path / "again.join")
        assert not gets_in(own, stolen)
        assert gets_in(own, again)


def test_what_a_revoked_node_left_retained_is_cleared(
    own: ClosedFog, mosquitto: RunningBroker
) -> None:
    left = (NODE_STATE, NODE_INFO, NODE_REPORT)
    with running(own, mosquitto):
        hall, watcher = given(own, "node", "pi-hall"), given(own, "operator", "me")
        with device(own, watcher) as looking:
            assert all(looking.read([topic.every("home") for topic in left]))
            node = device(own, hall)
            node.client.will_set(NODE_STATE.at("home", node="pi-hall"), b"offline", 1, retain=True)
            with node:
                node.write([topic.at("home", node="pi-hall") for topic in left], retain=True)
                assert [looking.heard().payload for _ in left] == [b"x"] * 3
                revoke(own, "pi-hall")
                assert [looking.heard().payload for _ in left] == [b""] * 3
        with device(own, watcher) as later:
            assert all(later.read([*(topic.every("home") for topic in left)]))
            assert later.write(["fog/v2/home/client/me/echo"]) == [True]
            assert later.read(["fog/v2/home/client/me/echo"]) == [True]
            assert later.write(["fog/v2/home/client/me/echo"], b"last") == [True]
            assert later.heard().payload == b"last"


def test_a_name_is_enrolled_once(own: ClosedFog, mosquitto: RunningBroker, tmp_path: Path) -> None:
    given(own, "node", "pi-hall")
    with running(own, mosquitto):
        for other in ("a.join", "b.join"):
            with pytest.raises(ClosedFogError, match="fog-broker revoke node/pi-hall --dir"):
                enrol(own, "node", "pi-hall", tmp_path / other)
    with pytest.raises(ClosedFogError, match="node pi-hall is enrolled already"):
        enrol(own, "node", "pi-hall", tmp_path / "c.join")
    assert list(tmp_path.glob("?.join")) == []


def test_a_file_that_is_there_is_not_overwritten_and_nobody_is_enrolled(
    own: ClosedFog, tmp_path: Path
) -> None:
    out = tmp_path / "pi-hall.join"
    out.write_text("mine")
    with pytest.raises(ClosedFogError, match="is there already; remove it, or give --out FILE"):
        enrol(own, "node", "pi-hall", out)
    with pytest.raises(JoinFileError, match="No such file or directory"):
        enrol(own, "node", "pi-hall", tmp_path / "nowhere" / "pi-hall.join")
    assert out.read_text() == "mine"
    with pytest.raises(ClosedFogError, match="nobody called pi-hall is enrolled; enrolled: nobody"):
        revoke(own, "pi-hall")


def test_one_id_in_two_roles_is_told_apart_and_clients_have_ids_of_their_own(
    own: ClosedFog,
) -> None:
    given(own, "node", "hall")
    given(own, "camera", "hall")
    with pytest.raises(
        ClosedFogError, match="hall is camera/hall and node/hall; say which of them"
    ):
        revoke(own, "hall")
    assert revoke(own, "camera/hall").role == "camera"
    assert revoke(own, "hall").role == "node"
    given(own, "operator", "me")
    with pytest.raises(ClosedFogError, match="operator/me is enrolled; operators and"):
        given(own, "reader", "me")


def test_everything_is_its_owners_alone_and_mosquitto_reads_only_its_part(
    own: ClosedFog, mosquitto: RunningBroker
) -> None:
    joined = own.folder.parent / "node-pi-hall.join"
    with running(own, mosquitto) as broker:
        given(own, "node", "pi-hall")
        (child,) = psutil.Process(broker.pid).children()
        for path in (own.folder, *own.folder.rglob("*"), joined):
            mode = stat.S_IMODE(path.stat().st_mode)
            assert mode == (0o700 if path.is_dir() else 0o600), path
        owners = {path.stat().st_uid for path in (own.mosquitto, *own.mosquitto.iterdir())}
        assert owners == {child.uids().effective}
        assert {path.stat().st_uid for path in own.folder.glob("*.key")} == {
            own.folder.stat().st_uid
        }


def test_no_password_stands_in_what_the_broker_knows_or_is_told_on_its_command_line(
    own: ClosedFog, mosquitto: RunningBroker
) -> None:
    with running(own, mosquitto) as broker:
        joined = given(own, "node", "pi-hall")
        (child,) = psutil.Process(broker.pid).children()
        known = own.users.read_text()
        for secret in (joined.password, own.admin_password):
            assert secret not in known
            assert secret not in " ".join(child.cmdline() + psutil.Process(broker.pid).cmdline())
    document = json.loads(known)
    assert {client["username"] for client in document["clients"]} == {
        "admin",
        "node/pi-hall",
        "ask/pi-hall",
    }
    assert {client.get("clientid") for client in document["clients"]} == {
        None,
        "home/node/pi-hall",
        "home/ask/pi-hall",
    }
    assert rights_of("ask", "pi-hall", "home").writes == ("fog/v2/home/node/pi-hall/echo",)
