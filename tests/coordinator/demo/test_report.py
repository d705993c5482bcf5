from typing import Any

from coordinator.demo.report import Story, report_of

PLACED = {1: {"branch0-stage0": "a", "fusion": "b"}, 2: {"branch0-stage0": "b", "fusion": "b"}}


def record(frame_id: int, sent_at: float, epoch: int = 1, **changes: Any) -> dict[str, Any]:
    hops = [{"partition": part, "node": node} for part, node in PLACED[epoch].items()]
    return {
        "camera": "door", "frame_id": frame_id, "epoch": epoch, "label": "7", "truth": "7",
        "missing": [], "sent_at": sent_at, "latency_s": 0.01, "latency": hops, **changes,
    }  # fmt: skip


def story(*records: dict[str, Any], **summary: int) -> Story:
    counts = {
        "sent": len(records), "answered": len(records), "duplicates": 0, "incomplete": 0,
        "mixed_epochs": 0, **summary,
    }  # fmt: skip
    return Story(
        summaries=[counts],
        records=records,
        placements=PLACED,
        standbys={1: "a", 2: ""},
        killed="a",
        killed_at=10.0,
        killed_epoch=1,
        redeployed_at=10.4,
        broker="mosquitto",
        nodes=["a", "b"],
        seconds=1.0,
    )


GOOD = (record(0, 9.0), record(1, 10.1, missing=["branch0-logits"]), record(2, 10.49, epoch=2))


def test_recovery_lasts_from_the_kill_to_the_first_complete_answer_of_a_new_epoch() -> None:
    report = report_of(story(*GOOD, incomplete=1))
    assert report.failures == []
    assert round(report.values["recovery_s"], 3) == 0.5
    assert report.values["accuracy"] == 1.0
    assert report.values["incomplete"] == 1
    assert report.values["latency_ms"].keys() == {"p50", "p95", "p99"}
    assert report.values["placements"].keys() == {"1", "2"}


def test_each_condition_can_fail() -> None:
    cases = {
        "accuracy": story(*(dict(r, label="1") for r in GOOD)),
        "2 of 3 frames": story(*GOOD, answered=2),
        "more than once": story(*GOOD, GOOD[0]),
        "mixed epochs": story(*GOOD, mixed_epochs=1),
        "no complete answer": story(*GOOD[:2]),
        "recovery took": story(*GOOD[:2], record(2, 16.0, epoch=2)),
        "frames were answered": story(sent=0, answered=0),
    }
    for sentence, told in cases.items():
        assert any(sentence in failure for failure in report_of(told).failures), sentence


def test_a_hop_on_a_node_of_another_epoch_is_a_mixed_answer() -> None:
    stray = [{"partition": "branch0-stage0", "node": "a"}]
    report = report_of(story(*GOOD[:2], record(2, 10.49, epoch=2, latency=stray)))
    assert report.values["mixed_epochs"] == 1


def test_the_standby_of_an_epoch_may_run_its_fusion_and_nothing_else() -> None:
    hops = record(0, 9.0)["latency"]
    stood_in = [hops[0], {"partition": "fusion", "node": "a"}]
    assert report_of(story(record(0, 9.0, latency=stood_in))).values["mixed_epochs"] == 0
    assert report_of(story(record(0, 9.0, epoch=2, latency=stood_in))).values["mixed_epochs"] == 1
