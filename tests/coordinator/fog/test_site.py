"""Whatever happens to coordinators and nodes: in the end one acts, and what is wanted serves."""

from hypothesis import given, settings
from hypothesis import strategies as st

from broker.messages import Active, Spec, Status
from broker.topics import ACTIVE, SPEC, STATUS
from tests.coordinator.fog.toy_site import ToySite
from tests.coordinator.fog.toys import NAME, SITE, artifacts, bundle, wish

OF = bundle(branches=2)
PATIENCE_S = 40.0
"""Artifacts are asked for again after 20 s, who could not have one is tried again after 20 s."""


def site_that_serves(nodes: str = "abc") -> ToySite:
    site = ToySite(nodes, OF)
    site.start_coordinator(0, 100)
    site.pass_time(4.0)
    site.client = artifacts(OF)
    spec = wish(OF)
    site.publish(spec.topic, spec.payload, retain=True)
    site.pass_time(4.0)
    site.client = {}  # the command has ended
    assert serves_well(site)
    return site


def serves_well(site: ToySite) -> bool:
    """Return whether the cameras are told of an epoch of which all is ready somewhere."""
    active = Active.decode(site.retained[ACTIVE.at(SITE, deployment=NAME)])
    serving = {
        node: at
        for node, agent in site.agents.items()
        if (at := agent.epochs.get(NAME, active.epoch)) is not None and at.state == "ready"
    }
    ready = {part.id for at in serving.values() for part in at.assignment.partitions}
    return ready == {part.id for part in OF.partitions} and set(active.fusion) <= serving.keys()


def acting(site: ToySite) -> list[int]:
    return [
        number
        for number, coordinator in site.coordinators.items()
        if coordinator.controller.tenure.acts and not coordinator.ended
    ]


def test_a_site_whose_only_coordinator_lost_everything_is_as_before() -> None:
    site = site_that_serves()
    epoch = Active.decode(site.retained[ACTIVE.at(SITE, deployment=NAME)]).epoch
    site.kill_coordinator(0)
    site.start_coordinator(0, 200)
    site.pass_time(10.0)
    assert serves_well(site)
    assert Active.decode(site.retained[ACTIVE.at(SITE, deployment=NAME)]).epoch == epoch
    assert site.coordinators[0].kept == artifacts(OF)


def test_what_nobody_has_any_more_is_waited_for_and_had_when_its_node_is_back() -> None:
    site = site_that_serves()
    site.kill_coordinator(0)
    (dead, *_) = Status.decode(site.retained[STATUS.at(SITE, deployment=NAME)]).placement.values()
    site.kill_node(dead)
    site.start_coordinator(0, 200)  # with an empty folder
    reasons = []
    for _ in range(int(PATIENCE_S)):
        site.pass_time(1.0)
        reasons.append(Status.decode(site.retained[STATUS.at(SITE, deployment=NAME)]).reason)
    assert any("nobody has the artifact" in reason for reason in reasons)
    assert SPEC.at(SITE, deployment=NAME) in site.retained
    site.start_node(dead, 300)
    site.pass_time(PATIENCE_S)
    assert serves_well(site)


events = st.tuples(
    st.sampled_from(
        ["kills", "starts", "freezes", "cuts off", "heals", "waits", "node dies", "node comes"]
    ),
    st.integers(0, 2),
    st.sampled_from([1.0, 2.0, 5.0]),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(events, max_size=14))
def test_in_the_end_one_acts_and_what_is_wanted_serves(story: list[tuple[str, int, float]]) -> None:
    site = site_that_serves()
    session = 1000
    for event, number, seconds in story:
        session += 1
        node = "abc"[number]
        match event:
            case "kills":
                site.kill_coordinator(number)
            case "starts":
                site.start_coordinator(number, session)
            case "freezes":
                site.freeze(number)
            case "cuts off":
                site.cut_off(number)
            case "heals":
                site.heal(number)
            case "node dies" if len(site.agents) > 1:
                site.kill_node(node)
            case "node comes" if node not in site.agents:
                site.start_node(node, session)
        site.pass_time(seconds)
        assert SPEC.at(SITE, deployment=NAME) in site.retained
    for number in range(3):
        site.heal(number)
    site.start_coordinator(0, session + 1)
    for node in "abc":
        if node not in site.agents:
            site.start_node(node, session + 1)
    site.pass_time(PATIENCE_S)
    assert len(acting(site)) == 1
    assert Spec.decode(site.retained[SPEC.at(SITE, deployment=NAME)]).revision == 1
    assert serves_well(site)
