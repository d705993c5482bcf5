"""The commands that need no fog: ``search``, ``train``, ``place``; and ``demo``, which brings its own."""

import time
from dataclasses import asdict
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.table import Table

from broker.command_line import (
    Json,
    console,
    error_console,
    not_nan,
    refuse,
    say,
    say_json,
)
from broker.ending import Ended, ended_by_signals
from broker.files.outputs import check_output_file
from broker.printable import printable
from coordinator.files import FileError, read_json
from coordinator.progress import duration, progress

DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Tell what it would cost and compute nothing.")
]

if TYPE_CHECKING:
    from evolution.placement.genetic import PlacementResult


def search(
    config: Annotated[Path, typer.Argument(help="A search file, see examples/search-mnist.yaml.")],
    out: Annotated[Path, typer.Option(help="The run folder.")],
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a run that was ended.")
    ] = False,
    scheduler: Annotated[
        str | None,
        typer.Option(help="Measure on the Dask cluster of this scheduler, tcp://HOST:PORT."),
    ] = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Search for a network with the genetic algorithm; every measurement is kept as it is made.

    Example: fog-coordinator search examples/search-mnist.yaml --out run
    """
    from coordinator.forecast.measure import forecast
    from coordinator.report.page import write_report
    from coordinator.search.conduct import conduct
    from coordinator.search.config import read_search
    from coordinator.search.dask_pool import SchedulerError
    from coordinator.search.run_folder import Run, check_run_folder
    from coordinator.search.setup import prepare
    from pictures.errors import DatasetError

    try:
        with ended_by_signals(), progress(quiet=as_json) as told:
            if not dry_run:
                check_run_folder(out, resume=resume)
            settings = read_search(config)
            try:
                scoring = prepare(settings)
            except (ValueError, DatasetError) as error:
                raise FileError(f"{config}: {error}") from None
            if dry_run or not as_json:
                expected = forecast(settings, scoring)
                if dry_run and as_json:
                    say_json(expected.as_dict())
                else:
                    say(*expected.lines())
            if dry_run:
                return
            run = Run(out, settings, resume=resume)
            result = conduct(run, scoring, told, scheduler)
            report = write_report(run, scoring.shape)
    except (FileError, SchedulerError, ValueError) as error:
        refuse(error)
    except OSError as error:
        refuse(f"{error.filename or out}: {error.strerror}")
    except Ended as ended:
        refuse(f"{out}: ended; --resume goes on with what is measured", ended.code)
    if as_json:
        say_json(result)
        return
    best = result["best"]
    say(
        f"best of {result['evaluations']} individuals, {result['distinct_networks']} networks: "
        f"{best['genome']}\n"
        f"fitness {best['fitness']:.4f}, accuracy {best['accuracy']:.4f}, {best['macs']:,} MACs\n"
        f"pictures: {report}\n"
        f"next: fog-coordinator train {out} --out BUNDLE_DIR"
    )


def train(
    run_dir: Annotated[Path, typer.Argument(help="A run folder that `search` made.")],
    out: Annotated[Path, typer.Option(help="The bundle folder to write.")],
    genome: Annotated[
        str | None, typer.Option(help="Train this one instead of the best of the run.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="The bundle's name; default: the folder's.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write what was learned to this page: FILE.html.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Train the winner in full, cut it into partitions and write the bundle.

    Example: fog-coordinator train run --out bundle
    """
    from coordinator.forecast.measure import winner_seconds
    from coordinator.report.learned_page import write_learned
    from coordinator.report.summary import summary
    from coordinator.search.train import TrainingStep, chosen, train_winner

    try:
        if report is not None:
            check_output_file("--report", report, (".html",))
        with ended_by_signals(), progress(quiet=as_json) as told:
            winner = chosen(run_dir, out, genome, name)
            if not as_json:
                say(f"forecast: {duration(winner_seconds(winner))} to train it")

            def tell(step: TrainingStep) -> None:
                told.tell("training", step.epoch, step.epochs, f"loss {step.loss:.3f}")

            learned = train_winner(winner, tell)
            if report is not None:
                write_learned(learned, report)
    except FileError as error:
        refuse(error)
    except Ended as ended:
        refuse(f"{out}: ended before the bundle was complete", ended.code)
    bundle = learned.bundle
    if as_json:
        say_json(bundle.model_dump(mode="json"))
        return
    say(
        f"{bundle.name} {bundle.version}",
        *summary(learned),
        f"{len(bundle.partitions)} partitions in {out}",
        *([] if report is None else [f"report: {report}"]),
        f"next: {learned.commands[0]}",
    )


def place(
    problem: Annotated[Path, typer.Argument(help="A placement problem, JSON.")],
    objective: Annotated[
        Literal["response", "throughput"],
        typer.Option(help="response: soonest answer. throughput: most frames a second."),
    ] = "response",
    rate: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            max=1e6,
            callback=not_nan,
            help="Frames a second: the p95 under this load decides.",
        ),
    ] = None,
    seed: Annotated[
        int,
        typer.Option(min=0, max=2**63 - 1, help="The same seed gives the same placement."),
    ] = 0,
    plot: Annotated[
        Path | None, typer.Option(help="Draw a Gantt chart to this file: .png, .svg, .pdf or .jpg.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Find which device should run which partition."""
    from coordinator.report.gantt import PICTURES, draw_gantt
    from evolution.placement.bound import lower_bound
    from evolution.placement.cost_model import CostModel
    from evolution.placement.forecast import forecast
    from evolution.placement.genetic import place as find
    from evolution.placement.problem import PlacementProblem

    began = time.perf_counter()
    try:
        if plot is not None:
            check_output_file("--plot", plot, PICTURES)
        loaded = PlacementProblem.from_json(read_json(problem))
        found = find(loaded, objective, seed, rate=rate)
        seconds = time.perf_counter() - began
        if plot is not None:
            shown = forecast(loaded, found.placement, found.priority)
            # The picture shows one frame, whatever was searched for.
            least_s = lower_bound(CostModel(loaded), "response")
            draw_gantt(shown, [d.id for d in loaded.devices], least_s, plot)
    except FileError as error:
        refuse(error)
    except ValueError as error:
        refuse(f"{problem}: {error}")
    except OSError as error:
        refuse(f"--plot {plot}: {error.strerror}")
    if as_json:
        say_json({**asdict(found), "seconds": seconds})
        return
    table = Table("partition", "device")
    for partition, device in found.placement.items():
        table.add_row(printable(partition), printable(device))
    console.print(table)
    say(
        f"answer after {found.response_s * 1000:.2f} ms, up to {found.frames_per_s:.1f} frames/s; "
        f"{_limit(found)} ({found.evaluations} evaluations, {seconds:.2f} s)"
    )
    if rate is not None and found.p95_s is not None:
        say(f"at {rate:g} frames/s 95 % of the answers come within {found.p95_s * 1000:.2f} ms")
    if found.energy_j is not None:
        budget = loaded.energy_budget_j
        say(f"{found.energy_j:g} J a frame" + ("" if budget is None else f" of {budget:g} J"))


def _limit(found: "PlacementResult") -> str:
    """Say what no placement can beat, in the unit of what was searched for."""
    least_s = found.lower_bound_s
    if found.objective == "response":
        return f"no answer can come before {least_s * 1000:.2f} ms"
    return f"no placement can keep up with more than {1 / least_s if least_s else inf:.1f} frames/s"


def demo(
    out: Annotated[Path, typer.Option(help="Where the report and the picture go.")] = Path(),
    engine: Annotated[
        Literal["auto", "mosquitto", "embedded"], typer.Option(help="Which broker to run.")
    ] = "auto",
    closed: Annotated[
        bool, typer.Option("--closed", help="With TLS, rights and a signature; needs Mosquitto.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Search, train, deploy on four fog nodes, stream, kill one of them, and tell what it cost."""
    from coordinator.demo.run import DemoError, run_demo

    try:
        with ended_by_signals():
            report = run_demo(out, engine, error_console if as_json else console, closed=closed)
    except FileError as error:
        refuse(error)
    except DemoError as error:
        refuse(error, 1)
    except Ended as ended:
        refuse("the demo was ended; all that it started has ended too", ended.code)
    if as_json:
        say_json(report.values)
    for failure in report.failures:
        error_console.print(f"not held: {failure}", style="red", soft_wrap=True)
    if report.failures:
        raise typer.Exit(1)
