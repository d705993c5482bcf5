import pytest

from coordinator.fog.layout_request import LayoutRequest
from coordinator.fog.load import slowed, together
from coordinator.fog.taken import Taken
from tests.coordinator.fog.toys import bundle, info


def test_every_partition_takes_longer_on_a_slow_node_measured_or_guessed() -> None:
    of, nodes = bundle(), {"a": info("a"), "b": info("b")}
    first = of.partitions[0]
    measured = {("a hardware", first.sha256): 0.02, ("b hardware", first.sha256): 0.03}
    usual = LayoutRequest(of, nodes, measured)
    seconds = slowed(of, nodes, measured, {"a": 5.0, "gone": 3.0})
    request = LayoutRequest(of, nodes, measured, node_seconds=seconds)
    for part in of.partitions:
        assert request.seconds(part, "a") == pytest.approx(5 * usual.seconds(part, "a"))
        assert request.seconds(part, "b") == usual.seconds(part, "b")
    assert request.seconds(first, "a") == pytest.approx(0.1)


def test_what_several_deployments_take_adds_up() -> None:
    one, other = {"a": Taken(0.25)}, {"a": Taken(0.5, 10.0), "b": Taken(0.125)}
    assert together([one, other]) == {"a": Taken(0.75, 10.0), "b": Taken(0.125)}
