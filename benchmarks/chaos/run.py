"""One run of one fault: set the stage, stream, strike at a random moment, look, heal, see it out."""

import json
import random
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmarks.chaos.broker_process import BROKER
from benchmarks.chaos.fault import Fault
from benchmarks.chaos.parts import COORDINATOR, wait_until
from benchmarks.chaos.records import RunRecord
from benchmarks.chaos.stage import Stage
from benchmarks.chaos.truth import Truth, answers_since, lies

_FIRST_ANSWERS: Final = 5
_PATIENCE_S: Final = 45.0
_RECENT_S: Final = 1.5


def play(fault: Fault, run: int, bundles: Path, engine: str, seed: int) -> RunRecord:
    """Play a fault once and return what it left behind.

    Raises:
        StageError: the scene before the fault did not come about.
    """
    draw = random.Random(f"{seed} {fault.name} {run}")
    with TemporaryDirectory(prefix="fogweave-chaos-") as folder:
        stage = Stage(Path(folder), fault.setting, bundles, engine, draw)
        with stage:
            fault.prepare(stage)
            for camera in fault.setting.cameras:
                stage.stream(camera)
            for camera in fault.setting.cameras:
                wait_until(
                    lambda camera=camera: len(stage.cameras.answers(camera)) >= _FIRST_ANSWERS,  # type: ignore[misc]
                    f"the first answers to {camera}",
                )
            time.sleep(draw.uniform(*fault.after_s))
            stage.mark()
            heal = fault.strike(stage)
            time.sleep(max(0.0, stage.marks[-1] + fault.look_s - time.time()))
            found = lies(_status(stage), _truth(stage))
            time.sleep(max(0.0, stage.marks[-1] + fault.holds_s - time.time()))
            if heal is not None:
                heal()
            stage.cameras.wait(fault.setting.seconds + _PATIENCE_S)
            until = time.time()
            stage.end()
        return RunRecord(
            struck_at=stage.marks[0],
            broken_at=stage.marks[-1],
            until=until,
            cameras=stage.cameras.records(),
            lies=found,
            endings=stage.parts.endings(),
            placements=stage.witness.placements,
            refusals=stage.refusals,
            notes=stage.notes,
        )


def _status(stage: Stage) -> dict[str, Any] | None:
    code, out, _ = stage.attempt("status", "--json", patience_s=20.0)
    said: dict[str, Any] | None = None if code else json.loads(out)
    return said


def _truth(stage: Stage) -> Truth:
    """Return what is so just after status was asked."""
    gone = stage.parts.gone
    nodes: dict[str, bool | None] = {
        node: None if node in stage.unsure else node not in gone
        for node in stage.setting.node_names
    }
    return Truth(
        broker=BROKER not in gone,
        coordinator=COORDINATOR not in gone,
        nodes=nodes,
        answers=answers_since(stage.cameras.answers(), time.time() - _RECENT_S)
        if stage.cameras.streaming
        else None,
    )
