"""When what serves is compared with another layout, and what is worth the change."""

from dataclasses import replace

from coordinator.fog.comparison import STEADY_S, Comparison
from coordinator.fog.knowledge import Circumstances
from coordinator.fog.layout import Layout

CALM = Circumstances(frozenset({("a", 1), ("b", 1)}), (), 10.0, frozenset())


def due(
    comparison: Comparison, circumstances: Circumstances, start: float, end: float
) -> list[float]:
    """Return when it was time to compare, asked once a second."""
    seconds = [start + second for second in range(int(end - start))]
    return [now for now in seconds if comparison.due(circumstances, now)]


def test_a_fog_that_is_steady_is_looked_at_once() -> None:
    assert due(Comparison(), CALM, 0, 100) == [STEADY_S]


def test_whoever_comes_and_goes_puts_it_off() -> None:
    comparison = Comparison()
    other = replace(CALM, nodes=frozenset({("a", 1)}))
    assert due(comparison, CALM, 0, 8) == due(comparison, other, 8, 16) == []
    assert due(comparison, CALM, 16, 40) == [16 + STEADY_S]


def test_a_node_that_becomes_slow_is_looked_at_at_once_and_one_that_recovers_is_not() -> None:
    comparison = Comparison()
    due(comparison, CALM, 0, 20)
    slow = replace(CALM, slow=(("a", 5.0),))
    assert due(comparison, slow, 20, 50) == [20]
    assert due(comparison, CALM, 50, 90) == [50 + STEADY_S]


def test_what_is_learned_while_it_serves_is_a_reason_to_look_again() -> None:
    comparison = Comparison()
    due(comparison, CALM, 0, 20)
    assert due(comparison, replace(CALM, learned=5), 20, 50) == [20 + STEADY_S]


def test_another_epoch_is_looked_at_anew() -> None:
    comparison = Comparison()
    due(comparison, CALM, 0, 20)
    comparison.restart()
    assert due(comparison, CALM, 20, 50) == [20 + STEADY_S]


def layout(response_s: float, frames_per_s: float) -> Layout:
    return Layout({}, {}, response_s, 0.01, frames_per_s, response_s)


def test_where_only_the_neighbours_changed_whoever_keeps_up_stays() -> None:
    comparison = Comparison()
    due(comparison, CALM, 0, 20)
    beside = replace(CALM, neighbours=frozenset({("faces", 3, 20.0)}))
    assert due(comparison, beside, 20, 50) == [20 + STEADY_S]
    assert not comparison.better(layout(0.9, 12.0), layout(0.1, 40.0), 10.0)
    assert comparison.better(layout(0.9, 8.0), layout(0.1, 40.0), 10.0)


def test_where_something_else_changed_too_the_better_layout_wins() -> None:
    comparison = Comparison()
    due(comparison, CALM, 0, 20)
    beside = replace(CALM, neighbours=frozenset({("faces", 3, 20.0)}), frames_per_s=20.0)
    due(comparison, beside, 20, 50)
    assert comparison.better(layout(0.9, 30.0), layout(0.1, 40.0), 20.0)
    assert not comparison.better(layout(0.11, 30.0), layout(0.1, 40.0), 20.0)
    assert comparison.better(None, layout(0.1, 40.0), 20.0)  # what serves uses nodes that are gone
