from broker.messages import OFFLINE, ONLINE, Beat, Report
from coordinator.fog.fleet import TIME_TO_LIVE_S, Fleet
from tests.coordinator.fog.toys import info


def beat(session: int) -> Beat:
    return Beat(session=session, sequence=1, epoch=0, load=0.0, queues={}, counters={})


def fleet_of(*nodes: str) -> Fleet:
    fleet = Fleet()
    for node in nodes:
        fleet.info(node, info(node), 0.0)
        fleet.state(node, ONLINE, 0.0)
    return fleet


def test_a_node_that_says_so_is_alive() -> None:
    assert list(fleet_of("a", "b").alive(1.0)) == ["a", "b"]


def test_a_node_whose_will_was_spoken_is_not() -> None:
    fleet = fleet_of("a")
    fleet.state("a", OFFLINE, 1.0)
    assert not fleet.alive(1.0)


def test_silence_counts_where_the_broker_loses_wills() -> None:
    fleet = fleet_of("a")
    fleet.beat("a", beat(1), 2.0)
    assert fleet.alive(2.0 + TIME_TO_LIVE_S - 0.1)
    assert not fleet.alive(2.0 + TIME_TO_LIVE_S)


def test_silence_before_a_reconnect_of_ours_is_forgiven() -> None:
    fleet = fleet_of("a")
    fleet.forgive(100.0)
    assert fleet.alive(101.0)


def test_a_beat_of_a_newer_session_outweighs_an_older_will() -> None:
    fleet = fleet_of("a")
    fleet.info("a", info("a", session=2), 1.0)
    fleet.state("a", OFFLINE, 1.0)  # the will of session 1, late
    fleet.beat("a", beat(3), 1.5)
    fleet.info("a", info("a", session=3), 1.5)
    assert fleet.alive(2.0)


def test_a_late_beat_of_the_lost_session_does_not_bring_it_back() -> None:
    fleet = fleet_of("a")
    fleet.state("a", OFFLINE, 1.0)
    fleet.beat("a", beat(1), 1.1)
    assert not fleet.alive(1.2)


def test_a_node_in_a_new_life_is_given_nothing_before_it_said_what_it_is() -> None:
    fleet = fleet_of("a")
    fleet.state("a", OFFLINE, 1.0)
    fleet.beat("a", beat(2), 1.1)  # beats may overtake what is retained
    assert not fleet.alive(1.2)
    fleet.info("a", info("a", session=2), 1.3)
    assert fleet.alive(1.4)["a"].session == 2


def test_nodes_of_one_hardware_are_taken_for_the_median_of_them() -> None:
    fleet = fleet_of()
    for node, seconds in (("a", 0.3), ("b", 0.1), ("c", 0.2), ("c", 0.5)):
        fleet.info(node, info(node).model_copy(update={"hardware": "pi"}), 0.0)
        told = Report(
            session=1,
            deployment="digits",
            epoch=1,
            status="ready",
            seconds={"fusion": seconds, "stranger": 9.0},
        )
        fleet.report(node, told, {"fusion": "f" * 64})
    assert fleet.measured == {("pi", "f" * 64): 0.3}  # of 0.3, 0.1 and, the last of c, 0.5


def test_what_runs_take_while_they_serve_counts_for_more_than_what_loading_measured() -> None:
    fleet, fusion = fleet_of("a"), "f" * 64
    told = Report(session=1, deployment="d", epoch=1, status="ready", seconds={"fusion": 0.5})
    fleet.report("a", told, {"fusion": fusion})
    fleet.served("a", fusion, 0.2)
    fleet.report("a", told, {"fusion": fusion})  # loaded again, on a busy processor
    assert fleet.measured == {("a hardware", fusion): 0.2}
    assert fleet.usual_s("a", fusion) == 0.5  # what a slow node is told by stays
    # Another life may have other threads: what it measures is all that is known of it.
    fleet.info("a", info("a", session=2), 1.0)
    fleet.report("a", told.model_copy(update={"session": 2}), {"fusion": fusion})
    assert fleet.measured == {("a hardware", fusion): 0.5}
