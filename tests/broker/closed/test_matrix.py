"""Every role against every topic, at a real Mosquitto: exactly what `rights.py` says, and nothing else."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from broker.access.join_file import JoinFile
from broker.access.rights import (
    MATRIX,
    OWN_LEVEL,
    PARTIES,
    Party,
    client_id_of,
    rights_of,
    user_of,
)
from broker.closed.dynamic_security import CONTROL, RESPONSE
from broker.closed.folder import ClosedFog
from broker.engine.running import RunningBroker
from broker.topics import NODE_STATE, TOPICS, Topic
from tests.broker.closed.device import Device

LEVELS = ("node", "camera", "client", "deployment", "device", "epoch", "tensor")
Joined = dict[tuple[str, str], JoinFile]


def role_of(party: Party) -> str:
    return "node" if party == "ask" else party


def own_name(party: Party, which: str = "one") -> str:
    return f"{role_of(party)}-{which}"


def device(fog: ClosedFog, joined: Joined, party: Party, which: str = "one") -> Device:
    """Return a party's connection, not yet made."""
    given = joined[role_of(party), which]
    name = own_name(party, which)
    client_id = client_id_of("home", party, name)
    return Device(fog.settings.port, given.ca, client_id, user_of(party, name), given.password)


@pytest.fixture(scope="module")
def devices(fog: ClosedFog, joined: Joined, broker: RunningBroker) -> Iterator[dict[Party, Device]]:
    assert broker.url == f"mqtts://127.0.0.1:{fog.settings.port}"
    with ExitStack() as stack:
        yield {party: stack.enter_context(device(fog, joined, party)) for party in PARTIES}


def at(topic: Topic, party: Party, *, own: bool) -> str:
    """Return a topic whose every level is somebody else's, or the party's own where it is named."""
    names = dict.fromkeys(LEVELS, "somebody")
    if own and party in OWN_LEVEL:
        names[OWN_LEVEL[party]] = own_name(party)
    return topic.at("home", **names)


def is_named(topic: Topic, party: Party) -> bool:
    return f"{{{OWN_LEVEL.get(party)}}}" in topic.pattern


def test_every_topic_stands_in_the_matrix() -> None:
    assert tuple(MATRIX) == TOPICS


@pytest.mark.parametrize("party", PARTIES)
def test_who_may_write(devices: dict[Party, Device], party: Party) -> None:
    expected, topics = [], []
    for topic, access in MATRIX.items():
        for own in (True, False):
            topics.append(at(topic, party, own=own))
            expected.append(party in access.writes and (own or not is_named(topic, party)))
    answers = devices[party].write(topics)
    wrong = [each for each in zip(topics, expected, answers, strict=True) if each[1] != each[2]]
    assert wrong == []


@pytest.mark.parametrize("party", PARTIES)
def test_who_may_read(devices: dict[Party, Device], party: Party) -> None:
    expected, filters = [], []
    for topic, access in MATRIX.items():
        for own in (True, False):
            of_all = party in access.reads
            filters.append(at(topic, party, own=own))
            mine = party in access.reads_own and own
            expected.append(of_all or mine)
        filters.append(topic.every("home"))
        expected.append(of_all)
    answers = devices[party].read(filters)
    wrong = [each for each in zip(filters, expected, answers, strict=True) if each[1] != each[2]]
    assert wrong == []


@pytest.mark.parametrize("party", PARTIES)
def test_nobody_hears_everything_or_another_site_or_the_brokers_own_topics(
    devices: dict[Party, Device], party: Party
) -> None:
    allowed = rights_of(party, own_name(party), "home").reads[0]
    filters = ["#", "+/#", "fog/#", "fog/v2/home/#", "$SYS/#", "$CONTROL/#", RESPONSE]
    filters += [f"$share/all/{allowed}", "$share/all/#", allowed.replace("/home/", "/other/")]
    filters += ["fog/v2/home/+/+/+", "fog/v2/+/node/+/state", "+/+/+/+/+/+/+/+"]
    assert not any(devices[party].read(filters))
    assert not any(devices[party].write([CONTROL, "fog/v2/other/node/x/state", "$SYS/x", "x"]))


def test_what_may_be_written_arrives_at_all_who_may_read_it(
    fog: ClosedFog, joined: Joined, broker: RunningBroker
) -> None:
    assert broker.engine == "mosquitto"
    with ExitStack() as stack:
        readers = {
            party: stack.enter_context(device(fog, joined, party, "two")) for party in PARTIES
        }
        for party, reader in readers.items():
            assert all(reader.read(rights_of(party, own_name(party, "two"), "home").reads))
        names = dict.fromkeys(LEVELS, "somebody")
        for party in PARTIES:
            if party in OWN_LEVEL and party != "ask":
                names[OWN_LEVEL[party]] = own_name(party, "two")
        for topic, access in MATRIX.items():
            names["client"] = own_name(access.writes[0], "two")
            text = topic.at("home", **names)
            assert readers[access.writes[0]].write([text], text.encode()) == [True]
            for party, reader in readers.items():
                own = not is_named(topic, party) or names[OWN_LEVEL[party]] == own_name(
                    party, "two"
                )
                if party in access.reads or (party in access.reads_own and own):
                    assert reader.heard().topic == text, (party, text)
        assert all(reader.messages.empty() for reader in readers.values())


def test_a_client_id_belongs_to_one_user(
    fog: ClosedFog, joined: Joined, devices: dict[Party, Device]
) -> None:
    thief, password = "node/node-two", joined["node", "two"].password
    ca = joined["node", "two"].ca
    for client_id in ("home/node/node-one", "home/coordinator/coordinator-one", "anything", ""):
        with Device(fog.settings.port, ca, client_id, thief, password) as stranger:
            assert stranger.accepted is not None
            assert stranger.accepted >= 0x80
    assert not devices["node"].parted.is_set()
    assert not devices["coordinator"].parted.is_set()


@pytest.mark.parametrize(
    ("user", "password"), [(None, ""), ("node/node-one", "wrong"), ("admin", "admin"), ("x", "x")]
)
def test_who_is_not_enrolled_stays_out(
    fog: ClosedFog, devices: dict[Party, Device], user: str | None, password: str
) -> None:
    assert devices["node"].accepted == 0
    with Device(fog.settings.port, fog.authority_pem, "home/node/x", user, password) as stranger:
        assert stranger.accepted is not None
        assert stranger.accepted >= 0x80


def test_a_will_is_bound_to_the_writers_own_topics(
    fog: ClosedFog, joined: Joined, devices: dict[Party, Device]
) -> None:
    watcher = devices["coordinator"]
    assert watcher.read([NODE_STATE.every("home")]) == [True]
    while not watcher.messages.empty():
        watcher.messages.get()
    for victim in ("node-one", "node-two"):
        thief = device(fog, joined, "node", "two")
        thief.client.will_set(NODE_STATE.at("home", node=victim), b"offline", 1)
        with thief:
            thief.drop()
            assert thief.parted.wait(10.0)
    assert watcher.heard().topic == NODE_STATE.at("home", node="node-two")
    assert watcher.messages.empty()
