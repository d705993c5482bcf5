"""The whole idea on one machine: search, train, place, deploy, stream, kill a fog node, go on."""

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from broker.closed.folder import ClosedFogError
from broker.engine.address import EngineError
from broker.files.outputs import check_output_folder
from coordinator.demo.plot import draw_latency
from coordinator.demo.processes import Processes
from coordinator.demo.report import Report, Story, report_of
from coordinator.demo.watch import Watch
from coordinator.demo.way import Way, broker_of
from coordinator.demo.ways_in import Closed, Open
from coordinator.files import FileError, write_json
from coordinator.fog.client import Client, DeploymentError
from coordinator.search.config import read_search
from coordinator.search.evaluation_pool import EvaluationPool
from coordinator.search.run import Step, search
from coordinator.search.run_folder import CONFIG, Run
from coordinator.search.setup import evaluator, prepare
from coordinator.search.train import TrainingStep, chosen, train_winner
from models.bundle import Bundle
from pictures.errors import DatasetError

_CONFIG: Final = Path(__file__).with_name("demo.yaml")
_NAME, _SITE = "digits", "demo"
_NODES: Final = ("fog-1", "fog-2", "fog-3", "fog-4")
_CAMERAS: Final = ("door", "yard")
_FRAMES, _FPS = 300, 25
_KILL_AFTER_ANSWERS: Final = 2 * _FRAMES // 3
_START_S, _STREAM_S = 30.0, 90.0


class DemoError(Exception):
    """The demo could not be played to its end, in one sentence."""


@dataclass(frozen=True, slots=True)
class _Stage:
    """Everything that plays."""

    work: Path
    fog: Processes
    watch: Watch
    way: Way
    console: Console


def run_demo(out: Path, engine: str, console: Console, *, closed: bool = False) -> Report:
    """Play the demo; write ``demo-report.json`` and ``demo-latency.png`` to ``out``.

    ``closed``: with TLS, everybody's rights and a signed deployment, for which Mosquitto is needed.

    Raises:
        DemoError: it could not be played to its end.
        FileError: ``out`` cannot be written.
    """
    began = time.perf_counter()
    work = out / "demo-run"
    check_output_folder("--out", out)
    if not (work / "run" / CONFIG).is_file():  # that of an earlier demo goes, nobody else's
        check_output_folder("--out", work, ())
    shutil.rmtree(work, ignore_errors=True)
    try:
        work.mkdir(parents=True)
        bundle = _find_network(work, console)
        ways_in = Closed(work, _SITE) if closed else Open(engine, _SITE, None)
        with broker_of(ways_in, engine) as broker:
            how = "TLS, rights, signatures" if closed else "open"
            console.print(f"broker: {broker.engine} {broker.version}, {how}", highlight=False)
            story = _stream(work, bundle, Way(ways_in, broker), began, console)
    except (
        FileError,
        DatasetError,
        EngineError,
        DeploymentError,
        ClosedFogError,
        ValueError,
    ) as error:
        raise DemoError(str(error)) from None
    except OSError as error:
        raise DemoError(f"{work}: {error.strerror}") from None
    report = report_of(story)
    write_json(out / "demo-report.json", report.values)
    draw_latency(story, out / "demo-latency.png")
    console.print(_table(report.values))
    console.print(
        f"{out / 'demo-report.json'} and {out / 'demo-latency.png'} tell the rest; "
        f"logs are in {work}",
        highlight=False,
        soft_wrap=True,
    )
    return report


def _find_network(work: Path, console: Console) -> Bundle:
    """Search and train; return the bundle, which lies in ``work/bundle``."""
    config = read_search(_CONFIG)
    scoring = prepare(config)
    with Progress(
        TextColumn("{task.description:<9}"),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f}"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
        console=console,
    ) as bar:
        searching = bar.add_task("search", total=1, note="starting evaluators")

        def found(step: Step) -> None:
            note = f"generation {step.generation}, {step.measured} networks trained"
            bar.update(searching, completed=step.scored, total=step.individuals, note=note)

        run = Run(work / "run", config, resume=False)
        evaluate = evaluator(run, scoring.shape, lambda _: None)
        with EvaluationPool(evaluate, config.workers) as pool:
            result = search(run, pool, scoring, found)
        training = bar.add_task("training", total=config.winner.epochs, note="")

        def trained(step: TrainingStep) -> None:
            bar.update(training, completed=step.epoch, note=f"loss {step.loss:.3f}")

        bundle = train_winner(chosen(work / "run", work / "bundle", None, _NAME), trained).bundle
    console.print(
        f"best of {result['distinct_networks']} networks: {result['best']['genome']}\n"
        f"trained: of the held-out pictures right: {bundle.accuracy.told()}",
        highlight=False,
        soft_wrap=True,
    )
    return bundle


def _stream(work: Path, bundle: Bundle, way: Way, began: float, console: Console) -> Story:
    """Start the fog, deploy, stream, kill a node in mid-stream; return what happened."""
    bus = way.bus("operator", "demo")
    try:
        with Processes(work) as fog:
            watch = Watch(bus, _SITE)
            fog.start(
                "coordinator", "fog-coordinator", "serve", *way.options("coordinator", "main"),
                "--state-dir", str(work / "coordinator"),
            )  # fmt: skip
            for node in _NODES:
                fog.start(
                    node, "fog-node", "run", *way.options("node", node),
                    "--state-dir", str(work / node), "--threads", "1",
                )  # fmt: skip
            _await(watch, fog, lambda: watch.coordinator, "the coordinator", _START_S)
            _await(watch, fog, lambda: watch.nodes >= set(_NODES), "the fog nodes", _START_S)
            Client(bus, _SITE, "demo").deploy(
                bundle, work / "bundle", _NAME, wait_s=_START_S, tell=lambda _: None,
                signer=way.signer(),
            )  # fmt: skip
            watch = Watch(bus, _SITE)  # the client listened to the same topics in between
            _await(watch, fog, lambda: watch.epoch > 0, "the deployment", _START_S)
            for part, node in sorted(watch.placements[watch.epoch].items()):
                console.print(f"  {part} on {node}", highlight=False)
            stage = _Stage(work, fog, watch, way, console)
            return _kill_in_mid_stream(stage, began)
    finally:
        bus.close()


def _kill_in_mid_stream(stage: _Stage, began: float) -> Story:
    """Stream, kill a fog node after the first answers, and see the cameras to their end."""
    work, fog, watch, way = stage.work, stage.fog, stage.watch, stage.way
    for index, camera in enumerate(_CAMERAS):
        fog.start(
            camera, "fog-camera", "stream", "--deployment", _NAME,
            *way.options("camera", camera), "--source", "mnist",
            "--offset", str(index * _FRAMES), "--count", str(_FRAMES), "--fps", str(_FPS),
            "--delivery", "reliable", "--log", str(work / f"{camera}.jsonl"), "--json",
        )  # fmt: skip
    with Progress(
        TextColumn("streaming"),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f} answers {task.fields[note]}"),
        TimeElapsedColumn(),
        console=stage.console,
    ) as bar:
        row = bar.add_task("", total=len(_CAMERAS) * _FRAMES, note="")

        def enough() -> bool:
            bar.update(row, completed=watch.answers)
            return watch.answers >= _KILL_AFTER_ANSWERS

        _await(watch, fog, enough, "the first answers", _STREAM_S)
        epoch, victim = watch.epoch, _victim(watch.placements[watch.epoch])
        killed_at = time.time()
        fog.kill(victim)
        bar.update(row, note=f"- {victim} killed")
        until = time.monotonic() + _STREAM_S
        for camera in _CAMERAS:
            while (code := fog.wait(camera, 0.0)) is None and time.monotonic() < until:
                watch.hear(0.1)
                note = f"- {victim} killed" + (", redeployed" if watch.epoch > epoch else "")
                bar.update(row, completed=watch.answers, note=note)
            if code == 2 or code is None:
                raise DemoError(f"camera {camera} did not finish: {fog.last_words(camera)}")
        while watch.hear(0.0):
            pass
        bar.update(row, completed=len(_CAMERAS) * _FRAMES)
    return Story(
        summaries=[json.loads(fog.output(camera)) for camera in _CAMERAS],
        records=[
            json.loads(line)
            for camera in _CAMERAS
            for line in (work / f"{camera}.jsonl").read_text(encoding="utf-8").splitlines()
        ],
        placements=watch.placements,
        standbys=watch.standbys,
        killed=victim,
        killed_at=killed_at,
        killed_epoch=epoch,
        redeployed_at=min(
            (at for number, at in watch.served_at.items() if number > epoch), default=None
        ),
        broker=f"{way.broker.engine} {way.broker.version}",
        nodes=_NODES,
        seconds=time.perf_counter() - began,
    )


def _victim(placement: dict[str, str]) -> str:
    """Return a fog node that runs a branch, if possible not the one where the branches merge."""
    branches = [node for part, node in sorted(placement.items()) if part.startswith("branch")]
    return next((node for node in branches if node != placement["fusion"]), branches[0])


def _await(
    watch: Watch, fog: Processes, there: Callable[[], bool], what: str, patience_s: float
) -> None:
    until = time.monotonic() + patience_s
    while not there():
        watch.hear(0.1)
        for name in fog.died():
            raise DemoError(f"{name} ended: {fog.last_words(name)}")
        if time.monotonic() > until:
            raise DemoError(f"{what} did not come within {patience_s:g} s")


def _table(values: dict[str, Any]) -> Table:
    """Return the one table that people see at the end."""
    latency, recovery = values["latency_ms"], values["recovery_s"]
    table = Table(show_header=False, title="Fogweave demo")
    table.add_row("accuracy of the answers", f"{values['accuracy']:.2%}")
    table.add_row("latency p50 / p95", f"{latency['p50']:.1f} / {latency['p95']:.1f} ms")
    table.add_row("frames sent", str(values["sent"]))
    table.add_row("frames answered", str(values["answered"]))
    table.add_row("answered with a missing branch", str(values["incomplete"]))
    table.add_row("answers of mixed epochs", str(values["mixed_epochs"]))
    table.add_row(
        f"{values['killed']} killed, complete answers again after",
        "never" if recovery is None else f"{recovery:.2f} s",
    )
    table.add_row("seconds in all", f"{values['seconds']:.0f}")
    return table
