import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evolution.placement.cost_model import CostModel
from evolution.placement.forecast import Interval, forecast
from evolution.placement.problem import Device, Partition, PlacementProblem, Tensor
from tests.evolution.slow_frame import SlowFrame, slow_rank
from tests.evolution.strategies import plans, problems


def device(name: str, *, up: float = 1.0, down: float = 1.0, latency: float = 0.0) -> Device:
    return Device(name, 100, up, down, latency)


def partition(name: str, memory: int = 0, **seconds: float) -> Partition:
    return Partition(name, memory, seconds)


@settings(max_examples=300)
@given(problems(memory=False), st.data())
def test_a_frame_is_the_slow_twins(problem: PlacementProblem, data: st.DataObject) -> None:
    placement, own = data.draw(plans(problem))
    model = CostModel(problem)
    priority = dict(zip(model.partition_ids, model.rank, strict=True)) | own
    twin = SlowFrame(problem, placement, priority)
    found = forecast(problem, placement, own)
    assert found.response_s == twin.response()
    assert {
        (use.resource, use.device, use.subject, use.start_s, use.end_s) for use in found.timeline
    } == twin.uses
    assert len(found.timeline) == len(twin.uses)


@given(problems(memory=False), st.data())
def test_throughput_is_the_busiest_resource_of_the_timeline(
    problem: PlacementProblem, data: st.DataObject
) -> None:
    placement, own = data.draw(plans(problem))
    found = forecast(problem, placement, own)
    spent: dict[tuple[str, str], float] = {}
    for use in found.timeline:
        key = (use.resource, use.device)
        spent[key] = spent.get(key, 0.0) + use.end_s - use.start_s
    busiest = max(spent.values())
    assert found.frames_per_s == pytest.approx(1 / busiest if busiest else float("inf"))


@given(problems())
def test_the_rank_is_hefts(problem: PlacementProblem) -> None:
    model = CostModel(problem)
    expected = [slow_rank(problem, name) for name in model.partition_ids]
    assert model.rank == pytest.approx(expected)


def test_a_chain_on_one_device_costs_no_transfer() -> None:
    problem = PlacementProblem(
        (device("x", latency=9.0), device("y")),
        (partition("a", x=1.0), partition("b", x=2.0)),
        (Tensor("t", 50, "a", ("b",)),),
    )
    found = forecast(problem, {"a": "x", "b": "x"})
    assert found.response_s == 3.0
    assert found.frames_per_s == pytest.approx(1 / 3)
    assert found.timeline == (
        Interval("compute", "x", "a", 0.0, 1.0),
        Interval("compute", "x", "b", 1.0, 3.0),
    )


def test_a_transfer_is_upload_latency_download_latency() -> None:
    problem = PlacementProblem(
        (device("x", up=4.0, latency=0.5), device("y", down=2.0, latency=0.25)),
        (partition("a", x=1.0), partition("b", y=2.0)),
        (Tensor("t", 8, "a", ("b",)),),
    )
    found = forecast(problem, {"a": "x", "b": "y"})
    assert found.timeline[1:] == (
        Interval("upload", "x", "t", 1.0, 3.0),
        Interval("download", "y", "t", 3.5, 7.5),
        Interval("compute", "y", "b", 7.75, 9.75),
    )
    assert found.response_s == 9.75
    assert found.frames_per_s == 1 / 4.0  # the downlink is busiest


def test_a_tensor_goes_up_once_and_down_once_per_device() -> None:
    problem = PlacementProblem(
        (device("x"), device("y"), device("z")),
        (partition("a", x=1.0), *(partition(n, y=1.0, z=1.0) for n in "bcd")),
        (Tensor("t", 2, "a", ("b", "c", "d")),),
    )
    found = forecast(problem, {"a": "x", "b": "y", "c": "y", "d": "z"})
    moves = [(use.resource, use.device) for use in found.timeline if use.resource != "compute"]
    assert sorted(moves) == [("download", "y"), ("download", "z"), ("upload", "x")]


def two_ready(**priority: float) -> list[str]:
    problem = PlacementProblem((device("x"),), (partition("a", x=1.0), partition("b", x=1.0)))
    found = forecast(problem, {"a": "x", "b": "x"}, priority)
    return [use.subject for use in found.timeline]


def test_of_those_ready_the_highest_priority_runs_then_the_earlier_in_the_file() -> None:
    assert two_ready() == ["a", "b"]
    assert two_ready(b=9.0) == ["b", "a"]
    assert two_ready(a=9.0, b=9.0) == ["a", "b"]


def test_there_is_no_preemption() -> None:
    problem = PlacementProblem(
        (device("x"), device("y")),
        (partition("long", x=10.0), partition("a", y=1.0), partition("urgent", x=1.0)),
        (Tensor("t", 1, "a", ("urgent",)),),
    )
    found = forecast(problem, {"long": "x", "a": "y", "urgent": "x"}, {"urgent": 99.0})
    assert found.response_s == 11.0


def test_a_camera_of_zero_seconds_feeds_its_own_device_at_once() -> None:
    problem = PlacementProblem(
        (device("x"),),
        (partition("branch", x=1.0), partition("camera", x=0.0), partition("other", x=1.0)),
        (Tensor("frame", 10, "camera", ("branch",)),),
        pinned={"camera": "x"},
    )
    placement = dict.fromkeys(("camera", "branch", "other"), "x")
    found = forecast(problem, placement, {"camera": 9.0, "branch": 8.0})
    assert [use.subject for use in found.timeline] == ["camera", "branch", "other"]


@pytest.mark.parametrize(
    ("placement", "priority", "line"),
    [
        ({"a": "x"}, {}, "placement: b is missing"),
        ({"a": "x", "b": "z"}, {}, "placement.b: may not run on 'z'"),
        ({"a": "x", "b": "y"}, {}, "placement.b: may not run on 'y'"),
        ({"a": "x", "b": "x"}, {}, "placement: x lacks 20 bytes of memory"),
        ({"a": "y", "b": "x", "c": "x"}, {}, "placement: there is no partition 'c'"),
        ({"a": "y", "b": "x"}, {"c": 1.0}, "placement: there is no partition 'c'"),
    ],
)
def test_a_placement_that_breaks_the_rules_is_refused(
    placement: dict[str, str], priority: dict[str, float], line: str
) -> None:
    problem = PlacementProblem(
        (device("x"), device("y")), (partition("a", 60, x=1.0, y=1.0), partition("b", 60, x=1.0))
    )
    with pytest.raises(ValueError, match=line):
        forecast(problem, placement, priority)
