"""Evaluators on a Dask cluster of two processes say what the local ones say."""

import socket
from collections.abc import Iterator
from typing import Any

import dask
import pytest
from distributed import LocalCluster

from coordinator.search.dask_pool import DaskPool, SchedulerError
from coordinator.search.evaluation_pool import EvaluatorDiedError, measured
from tests.coordinator.search.evaluators import NETWORKS, Counting


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0"
        ) as cluster,
    ):
        yield cluster


def test_it_measures_as_the_evaluator_itself(cluster: Any) -> None:
    expected = dict(zip(NETWORKS, measured(Counting(), NETWORKS), strict=True))
    with DaskPool(Counting(), cluster.scheduler_address) as pool:
        assert list(pool.measure([])) == []
        for _ in range(2):
            assert dict(pool.measure(NETWORKS)) == expected


@pytest.mark.parametrize(
    ("does", "error", "sentence"),
    [
        ("fail", EvaluatorDiedError, "an evaluator failed: RuntimeError: out of memory"),
        ("refuse", ValueError, "table.csv: has no network"),
        ("die", EvaluatorDiedError, "evaluator processes died again and again"),
    ],
)
def test_an_evaluator_that_fails_is_one_line(
    cluster: Any, does: str, error: type[Exception], sentence: str
) -> None:
    with (
        DaskPool(Counting(NETWORKS[-1], does), cluster.scheduler_address) as pool,
        pytest.raises(error, match=sentence),
    ):
        list(pool.measure(NETWORKS))


def test_a_scheduler_that_does_not_answer_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(SchedulerError, match=f"^{address}: no Dask cluster there"):
            DaskPool(Counting(), address, patience_s=1)
    with (
        LocalCluster(n_workers=0, dashboard_address="127.0.0.1:0") as empty,  # type: ignore[no-untyped-call]
        pytest.raises(SchedulerError, match=r"no Dask cluster there \(Only 0/1 workers"),
    ):
        DaskPool(Counting(), empty.scheduler_address, patience_s=1)
    with pytest.raises(SchedulerError, match="nowhere: no Dask cluster there"):
        DaskPool(Counting(), "nowhere", patience_s=1)


def test_a_scheduler_that_goes_is_one_line() -> None:
    with (
        LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0"
        ) as cluster,
        # Dask begins with any of them, so it is not a certain one that hangs, but all after the first.
        DaskPool(Counting(does="hang after one"), cluster.scheduler_address) as pool,
    ):
        found = pool.measure(NETWORKS)
        assert next(found)[0] in NETWORKS
        cluster.close()
        with pytest.raises(EvaluatorDiedError, match="the Dask scheduler is gone"):
            list(found)
