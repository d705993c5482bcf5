"""A site as a listener knows it, message by message."""

from broker.bus.seam import Message
from broker.camera_state import State
from broker.coordinator_beat import CoordinatorBeat
from broker.messages import OFFLINE, ONLINE, Beat, Status
from broker.topics import (
    ACTIVE,
    COORDINATOR_BEAT,
    COORDINATOR_STATE,
    NODE_BEAT,
    NODE_INFO,
    NODE_STATE,
    SPEC,
    STATE,
    STATUS,
)
from coordinator.fog.site_snapshot import SILENT_S, SiteSnapshot
from tests.coordinator.fog.toys import NAME, SITE, active, info

BEAT = Beat(session=1, sequence=1, epoch=0, load=0.0, queues={}, counters={}).encode()
SHOWS = State(deployment=NAME, camera="hall", label="7", confidence=0.9, since=1.0)
STATUS_NOW = Status(deployment=NAME, revision=1, phase="serving", slow={"pi": "is slow"})


def heard(*messages: tuple[str, bytes], at: float = 0.0) -> SiteSnapshot:
    site = SiteSnapshot()
    for topic, payload in messages:
        site.hear(Message(topic, payload), at)
    return site


def test_a_node_that_beats_is_online_and_one_that_only_says_so_is_silent() -> None:
    state, beat = NODE_STATE.at(SITE, node="pi"), NODE_BEAT.at(SITE, node="pi")
    assert heard((state, ONLINE)).presence("pi", 0.0) == "silent"
    site = heard((state, ONLINE), (beat, BEAT))
    assert site.presence("pi", SILENT_S - 0.1) == "online"
    assert site.presence("pi", SILENT_S) == "silent"
    site.hear(Message(state, OFFLINE), 1.0)
    assert site.presence("pi", 1.0) == "offline"
    site.hear(Message(beat, BEAT), 1.1)  # a newer session whose old will came late
    assert site.presence("pi", 1.1) == "online"


def test_a_coordinator_that_does_not_beat_does_not_answer() -> None:
    site = heard((COORDINATOR_STATE.at(SITE), ONLINE))
    assert site.coordinator_presence(0.0) == "silent"
    assert not site.everyone_was_heard()
    pulse = CoordinatorBeat(role="coordinator", session=1, sequence=1, queues={}, counters={})
    site.hear(Message(COORDINATOR_BEAT.at(SITE), pulse.encode()), 1.0)
    assert site.coordinator_presence(1.5) == "online"
    assert site.everyone_was_heard()
    assert site.as_json(1.5)["coordinator_heard_s_ago"] == 0.5


def test_what_is_cleared_is_known_no_more() -> None:
    known = {
        NODE_STATE.at(SITE, node="pi"): ONLINE,
        NODE_INFO.at(SITE, node="pi"): info("pi").encode(),
        SPEC.at(SITE, deployment=NAME): b"{}",
        ACTIVE.at(SITE, deployment=NAME): active(1).encode(),
        STATUS.at(SITE, deployment=NAME): STATUS_NOW.encode(),
        STATE.at(SITE, deployment=NAME, camera="hall"): SHOWS.encode(),
    }
    site = heard(*known.items())
    assert (site.nodes, site.wanted, site.orphans) == (["pi"], {NAME}, [])
    assert site.as_json(0.0)["cameras"] == [SHOWS.model_dump()]
    for topic in known:
        site.hear(Message(topic, b""), 1.0)
    assert site == SiteSnapshot()


def test_json_keeps_the_keys_that_programs_know() -> None:
    site = heard(
        (COORDINATOR_STATE.at(SITE), ONLINE),
        (NODE_STATE.at(SITE, node="pi"), ONLINE),
        (NODE_INFO.at(SITE, node="pi"), info("pi").encode()),
        (NODE_BEAT.at(SITE, node="pi"), BEAT),
        (ACTIVE.at(SITE, deployment=NAME), active(4).encode()),
        (STATUS.at(SITE, deployment=NAME), STATUS_NOW.encode()),
    )
    printed = site.as_json(0.4)
    assert printed["coordinator"] is True
    assert printed["orphans"] == [NAME]
    (node,) = printed["nodes"]
    assert (node["node"], node["online"], node["info"]["session"], node["beat"]["session"]) == (
        "pi", True, 1, 1,
    )  # fmt: skip
    assert (node["state"], node["heard_s_ago"], node["slow"]) == ("online", 0.4, {NAME: "is slow"})
    (deployment,) = printed["deployments"]
    assert deployment == STATUS_NOW.model_dump() | {"active_epoch": 4}


def test_messages_that_cannot_be_decoded_are_counted_and_change_nothing_else() -> None:
    site = heard((NODE_BEAT.at(SITE, node="pi"), b"?"), (STATUS.at(SITE, deployment=NAME), b"{}"))
    assert site == SiteSnapshot(bad_messages=2)
