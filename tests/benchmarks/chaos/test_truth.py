"""When ``status`` is right."""

from typing import Any

import pytest

from benchmarks.chaos.truth import Answers, Truth, answers_since, lies
from tests.benchmarks.chaos.made_records import STRUCK, answers


def said(phase: str = "serving", degraded: str = "", coordinator: str = "online") -> dict[str, Any]:
    return {
        "coordinator_state": coordinator,
        "nodes": [
            {"node": "a", "state": "online", "slow": {}},
            {"node": "b", "state": "silent", "slow": {}},
        ],
        "deployments": [
            {"deployment": "digits", "phase": phase, "reason": "", "degraded": degraded}
        ],
    }


def truth(
    answered: Answers = "complete", *, coordinator: bool = True, b: bool | None = False
) -> Truth:
    return Truth(broker=True, coordinator=coordinator, nodes={"a": True, "b": b}, answers=answered)


def test_it_is_right_about_who_is_there() -> None:
    assert lies(said(), truth()) == []
    assert lies(said(), truth(b=True)) == ["a node is here and was shown silent"]
    assert lies(said(), truth(b=None)) == []
    assert lies(said(), truth(coordinator=False)) == ["the coordinator is gone"]


def test_a_node_that_is_called_slow_is_shown_to_have_trouble() -> None:
    told = said()
    told["nodes"][0]["slow"] = {"digits": "branch 1 is missing in 40 % of the answers"}
    gone = Truth(broker=True, coordinator=True, nodes={"a": False}, answers="complete")
    assert lies(told, gone) == []
    assert lies(told, truth()) == ["a node is here and was shown slow"]


@pytest.mark.parametrize("answered", ["incomplete", "none"])
def test_plainly_serving_while_answers_miss_branches_or_do_not_come(answered: Answers) -> None:
    assert len(lies(said(), truth(answered))) == 1
    assert lies(said(degraded="node b is slow"), truth(answered)) == []
    assert lies(said("waiting"), truth(answered)) == []


def test_without_a_coordinator_nobody_watches_the_deployment() -> None:
    assert lies(said(coordinator="silent"), truth("none", coordinator=False)) == []


def test_without_a_broker_it_has_to_refuse() -> None:
    gone = Truth(broker=False, coordinator=True, nodes={}, answers="none")
    assert lies(None, gone) == []
    assert len(lies(said(), gone)) == 1
    assert len(lies(None, truth())) == 1


def test_a_twentieth_of_the_answers_may_miss_a_branch() -> None:
    late = answers(41, 80)
    assert answers_since(late, STRUCK) == "complete"
    assert answers_since([*late, *answers(80, 82, missing=("x",))], STRUCK) == "complete"
    assert answers_since([*late, *answers(80, 90, missing=("x",))], STRUCK) == "incomplete"
    assert answers_since(late, STRUCK + 60.0) == "none"
