import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evolution.placement import compiled
from evolution.placement.arrays import arrays_of, bench_for
from evolution.placement.cost_model import CostModel
from evolution.placement.critical import critical
from evolution.placement.exhaustive import enumerate_plans
from evolution.placement.forecast import forecast
from evolution.placement.kernel import response
from evolution.placement.loads import busiest
from evolution.placement.local_search import Goal, LocalSearch
from evolution.placement.plan import Plan
from evolution.placement.problem import Device, Partition, PlacementProblem, Tensor
from evolution.placement.refinement import cost, refine
from evolution.placement.room import packed
from evolution.placement.stream import OtherRun, Stream, evenly
from tests.evolution.slow_frame import SlowFrame, slow_stream
from tests.evolution.strategies import plans, problems


@settings(max_examples=200)
@given(problems(memory=False), st.data(), st.floats(0.1, 2.0))
def test_a_limit_only_cuts_off_what_exceeds_it(
    problem: PlacementProblem, data: st.DataObject, share: float
) -> None:
    placement, own = data.draw(plans(problem))
    model = CostModel(problem)
    a, b = arrays_of(model), bench_for(arrays_of(model))
    device = np.array([model.device_ids.index(placement[p]) for p in model.partition_ids])
    given_priority = dict(zip(model.partition_ids, model.rank, strict=True)) | own
    priority = np.array([given_priority[p] for p in model.partition_ids])
    exact = SlowFrame(problem, placement, given_priority).response()
    assert response(a, b, device, priority, math.inf) == exact
    assert busiest(a, b, device) == model.busiest(device.tolist())
    limited = response(a, b, device, priority, share * exact)
    assert limited == exact or (limited == math.inf and share < 1)


@settings(max_examples=100)
@given(problems(), st.sampled_from(["response", "throughput"]), st.integers(0, 99))
def test_a_walk_promises_what_its_best_plan_costs(
    problem: PlacementProblem, objective: str, seed: int
) -> None:
    model = CostModel(problem)
    try:
        start = Plan(tuple(packed(model)), tuple(model.rank))
    except ValueError:
        return
    search = LocalSearch(model, Goal(objective))  # type: ignore[arg-type]
    before = search.cost(start)
    plan, found = search.refined(start, 50, 0.3, np.random.default_rng(seed))
    assert found == search.cost(plan) <= before
    assert min(model.room(plan.device)) >= 0
    assert all(d in choices for d, choices in zip(plan.device, model.choices, strict=True))
    assert sorted(plan.priority) == sorted(model.rank)


def test_what_waits_and_what_it_waits_for_is_critical() -> None:
    problem = PlacementProblem(
        (Device("x", 0, 1, 1, 0), Device("y", 0, 1, 1, 0)),
        tuple(
            Partition(p, 0, {"x": s, "y": s}) for p, s in (("a", 5), ("b", 1), ("c", 1), ("d", 1))
        ),
        (Tensor("t", 1, "b", ("c",)),),
    )
    model = CostModel(problem)
    a, b = arrays_of(model), bench_for(arrays_of(model))
    device = np.array([0, 0, 1, 1])  # b waits for a, c for b's tensor; d is done long before
    response(a, b, device, np.array([4.0, 3.0, 2.0, 1.0]), math.inf)
    assert b.critical[: critical(a, b, device, False)].tolist() == [2, 1, 0]


def test_frames_far_apart_do_not_meet_and_frames_too_close_queue() -> None:
    problem = PlacementProblem(
        (Device("x", 0, 1, 1, 0), Device("y", 0, 1, 1, 0)),
        (Partition("a", 0, {"x": 1.0}), Partition("b", 0, {"y": 1.0})),
        (Tensor("t", 2, "a", ("b",)),),
    )
    model = CostModel(problem)
    alone = forecast(problem, {"a": "x", "b": "y"}).response_s
    assert alone == 6.0
    assert Stream(model, evenly(1 / 10)).response_times([0, 1], model.rank) == pytest.approx(alone)
    # the uplink and the downlink take 2 s a frame: at one frame a second each waits 1 s longer
    queued = Stream(model, evenly(1.0, frames=20)).response_times([0, 1], model.rank)
    assert queued == pytest.approx(alone + np.arange(20))
    assert Stream(model, evenly(1.0, frames=20)).p95_s([0, 1], model.rank) == pytest.approx(
        alone + 18
    )


@settings(max_examples=60)
@given(problems(4, 3, memory=False), st.data(), st.sampled_from([0.25, 0.5, 1.0, 2.0, 4.0]))
def test_a_stream_is_the_slow_twins(
    problem: PlacementProblem, data: st.DataObject, interval_s: float
) -> None:
    placement, own = data.draw(plans(problem))
    model = CostModel(problem)
    priority = dict(zip(model.partition_ids, model.rank, strict=True)) | own
    device = [model.device_ids.index(placement[p]) for p in model.partition_ids]
    arrivals = evenly(1 / interval_s, frames=4)
    found = Stream(model, arrivals).response_times(device, list(priority.values()))
    assert found.tolist() == slow_stream(problem, placement, priority, arrivals.tolist())


@settings(max_examples=60)
@given(problems(4, 3, memory=False), st.data())
def test_a_stream_beside_others_is_the_slow_twins(
    problem: PlacementProblem, data: st.DataObject
) -> None:
    placement, own = data.draw(plans(problem))
    model = CostModel(problem)
    priority = dict(zip(model.partition_ids, model.rank, strict=True)) | own
    device = [model.device_ids.index(placement[p]) for p in model.partition_ids]
    # Different moments, all of them: who came first is never left to a rule for ties.
    moments = data.draw(st.lists(st.integers(0, 40), min_size=1, max_size=9, unique=True))
    split = data.draw(st.integers(1, min(3, len(moments))))
    arrivals = np.sort(np.array(moments[:split], np.float64)) / 8
    others = [
        OtherRun(data.draw(st.integers(0, len(model.device_ids) - 1)), at / 8, 0.5)
        for at in moments[split:]
    ]
    found = Stream(model, arrivals, others).response_times(device, list(priority.values()))
    assert found.tolist() == slow_stream(problem, placement, priority, arrivals.tolist(), others)


def test_the_oldest_frame_goes_first_whatever_the_priorities() -> None:
    problem = PlacementProblem(
        (Device("x", 0, 1, 1, 0),), (Partition("a", 0, {"x": 1.0}), Partition("b", 0, {"x": 1.0}))
    )
    # 2 s a frame, one frame a second: a newer frame's urgent "a" never goes before an older "b"
    for priority in ([9.0, 0.0], [0.0, 9.0], [1.0, 1.0]):
        found = Stream(CostModel(problem), evenly(1.0, frames=5)).response_times([0, 0], priority)
        assert found.tolist() == [2.0, 3.0, 4.0, 5.0, 6.0]


@pytest.mark.parametrize("rate", [0.0, -1.0, math.inf, math.nan])
def test_a_rate_is_a_number_of_frames(rate: float) -> None:
    problem = PlacementProblem((Device("x", 0, 1, 1, 0),), (Partition("a", 0, {"x": 1.0}),))
    with pytest.raises(ValueError, match="rate: "):
        Stream(CostModel(problem), evenly(rate))


@pytest.mark.parametrize(
    "function",
    [response, busiest, critical, cost, refine, enumerate_plans],
    ids=lambda f: f.__name__,
)
def test_compiled_code_is_kept_by_the_text_of_all_its_files(function: object) -> None:
    cache = function._cache._cache_file  # type: ignore[attr-defined]
    assert cache._source_stamp == compiled.STAMP


def test_every_module_of_compiled_code_counts_for_what_is_kept() -> None:
    folder = Path(compiled.__file__).parent
    compiling = "from evolution.placement.compiled import "
    found = {file.stem for file in folder.glob("*.py") if compiling in file.read_text()}
    assert found | {"arrays", "compiled"} == set(compiled.SOURCES)
