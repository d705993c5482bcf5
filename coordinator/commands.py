"""The command ``fog-coordinator``: search, train, place, serve, deploy, redeploy, status, undeploy, demo."""

import json
import logging
import os
import signal
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from broker.bus import BrokerUnreachableError, Will
from broker.messages import OFFLINE, Status
from broker.mqtt_bus import MqttBus
from broker.topics import COORDINATOR, NODE_STATE, InvalidIdError, check_id
from coordinator.files import FileError, read_config, read_json

app = typer.Typer(
    help="Finds a network for your fog, trains it, places it on the nodes and keeps it served.",
    no_args_is_help=True,
)
_out, _err = Console(), Console(stderr=True)

Broker = Annotated[str, typer.Option(help="The broker's address, mqtt://HOST:PORT.")]
Site = Annotated[str, typer.Option(help="Fogs of different sites do not hear each other.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
_BROKER, _SITE = "mqtt://127.0.0.1:1883", "home"


def _refuse(sentence: object, code: int = 2) -> NoReturn:
    _err.print(f"error: {sentence}", style="red", highlight=False, soft_wrap=True, markup=False)
    raise typer.Exit(code)


def _say(text: str) -> None:
    _out.print(text, highlight=False, soft_wrap=True, markup=False)


def _print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value) + "\n")


@contextmanager
def _bus(url: str, client_id: str) -> Iterator[MqttBus]:
    """Yield a connected bus, or end with one plain line."""
    try:
        bus = MqttBus.connect(url, client_id)
    except (ValueError, BrokerUnreachableError) as error:
        _refuse(error)
    try:
        yield bus
    finally:
        bus.close()


def _id(field: str, value: str) -> str:
    try:
        return check_id(field, value)
    except InvalidIdError as error:
        _refuse(error)


@contextmanager
def _bar(*, quiet: bool) -> Iterator[Progress]:
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=_err,
        disable=quiet or not _err.is_terminal,
    ) as bar:
        yield bar


@app.command()
def search(
    config: Annotated[Path, typer.Argument(help="A search file, see examples/search-mnist.yaml.")],
    out: Annotated[Path, typer.Option(help="The run folder.")],
    resume: Annotated[bool, typer.Option(help="Go on with a run that was ended.")] = False,
    as_json: Json = False,
) -> None:
    """Search for a network with the genetic algorithm; every measurement is kept as it is made."""
    from coordinator.evaluation_pool import EvaluationPool
    from coordinator.search import Run, Step, prepare
    from coordinator.search import search as run_search
    from coordinator.search_config import SearchConfig
    from pictures.errors import DatasetError

    try:
        settings = read_config(config, SearchConfig)
        try:
            evaluate, shape = prepare(settings)
        except (ValueError, DatasetError) as error:
            raise FileError(f"{config}: {error}") from None
        run = Run(out, settings, resume=resume)
        with _bar(quiet=as_json) as bar:
            row = bar.add_task("searching", total=None, note="")

            def tell(step: Step) -> None:
                best = "" if step.best is None else f"best fitness {step.best:.4f}"
                bar.update(
                    row,
                    completed=step.scored,
                    total=step.individuals,
                    description=f"generation {step.generation}/{step.generations}",
                    note=f"{step.measured} networks measured {best}",
                )

            with EvaluationPool(evaluate, settings.workers) as pool:
                result = run_search(run, pool, shape, tell)
    except FileError as error:
        _refuse(error)
    if as_json:
        _print_json(result)
        return
    best = result["best"]
    _say(
        f"best of {result['evaluations']} individuals, {result['distinct_networks']} networks: "
        f"{best['genome']}\n"
        f"fitness {best['fitness']:.4f}, accuracy {best['accuracy']:.4f}, {best['macs']:,} MACs\n"
        f"next: fog-coordinator train {out} --out BUNDLE_DIR"
    )


@app.command()
def train(
    run_dir: Annotated[Path, typer.Argument(help="A run folder that `search` made.")],
    out: Annotated[Path, typer.Option(help="The bundle folder to write.")],
    genome: Annotated[
        str | None, typer.Option(help="Train this one instead of the best of the run.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="The bundle's name; default: the folder's.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Train the winner in full, cut it into partitions and write the bundle."""
    from coordinator.train import TrainingStep, train_winner

    try:
        with _bar(quiet=as_json) as bar:
            row = bar.add_task("training", total=None, note="")

            def tell(step: TrainingStep) -> None:
                bar.update(
                    row, completed=step.epoch, total=step.epochs, note=f"loss {step.loss:.3f}"
                )

            bundle = train_winner(run_dir, out, genome, name, tell)
    except FileError as error:
        _refuse(error)
    if as_json:
        _print_json(bundle.model_dump(mode="json"))
        return
    missing = ", ".join(f"{value:.2%} without {n}" for n, value in bundle.accuracy.missing.items())
    _say(
        f"{bundle.name} {bundle.version}: accuracy {bundle.accuracy.whole:.2%} ({missing})\n"
        f"{len(bundle.partitions)} partitions in {out}\n"
        f"next: fog-coordinator deploy {out} --name {bundle.name} --broker mqtt://HOST:PORT"
    )


@app.command()
def place(
    problem: Annotated[Path, typer.Argument(help="A placement problem, JSON.")],
    objective: Annotated[
        Literal["response", "throughput"],
        typer.Option(help="response: soonest answer. throughput: most frames a second."),
    ] = "response",
    seed: Annotated[int, typer.Option(help="The same seed gives the same placement.")] = 0,
    plot: Annotated[Path | None, typer.Option(help="Draw a Gantt chart to this PNG.")] = None,
    as_json: Json = False,
) -> None:
    """Find which device should run which partition."""
    from coordinator.gantt import draw_gantt
    from evolution.placement.forecast import forecast
    from evolution.placement.genetic import place as find
    from evolution.placement.problem import PlacementProblem

    began = time.perf_counter()
    try:
        loaded = PlacementProblem.from_json(read_json(problem))
        found = find(loaded, objective, seed)
        seconds = time.perf_counter() - began
        if plot is not None:
            shown = forecast(loaded, found.placement, found.priority)
            draw_gantt(shown, [d.id for d in loaded.devices], found.lower_bound_s, plot)
    except FileError as error:
        _refuse(error)
    except ValueError as error:
        _refuse(f"{problem}: {error}")
    except OSError as error:
        _refuse(f"--plot {plot}: {error.strerror}")
    if as_json:
        from dataclasses import asdict

        _print_json({**asdict(found), "seconds": seconds})
        return
    table = Table("partition", "device")
    for partition, device in found.placement.items():
        table.add_row(partition, device)
    _out.print(table)
    _say(
        f"answer after {found.response_s * 1000:.2f} ms, up to {found.frames_per_s:.1f} frames/s; "
        f"{found.objective} cannot be better than {found.lower_bound_s * 1000:.2f} ms "
        f"({found.evaluations} evaluations, {seconds:.2f} s)"
    )


@app.command()
def serve(
    broker: Broker = _BROKER,
    site: Site = _SITE,
    state_dir: Annotated[
        Path | None, typer.Option(help="Where bundles and deployments are kept over restarts.")
    ] = None,
) -> None:
    """Watch the fog nodes, place what is deployed, and place it anew when one dies."""
    from coordinator.service import Service, StateError

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    _id("site", site)
    home = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    folder = state_dir or home / "fogweave" / f"coordinator-{site}"
    will = Will(NODE_STATE.at(site, node=COORDINATOR), OFFLINE)
    try:
        bus = MqttBus.connect(
            broker, f"{COORDINATOR}-{uuid.uuid4().hex[:12]}", will=will, retry=True
        )
    except ValueError as error:
        _refuse(error)
    try:
        service = Service(site, folder, bus)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda _number, _frame: service.stop())
        _say(f"fog-coordinator serves site {site}, state in {folder}")
        reason = service.run()
    except StateError as error:
        _refuse(error)
    finally:
        bus.close()
    if reason:
        _refuse(reason)


Wait = Annotated[bool, typer.Option("--wait", help="Return when it serves.")]
Timeout = Annotated[float, typer.Option(min=1, help="Seconds to wait with --wait.")]


@app.command()
def deploy(
    bundle_dir: Annotated[Path, typer.Argument(help="A bundle folder that `train` made.")],
    name: Annotated[str, typer.Option(help="What the cameras call it.")],
    broker: Broker = _BROKER,
    site: Site = _SITE,
    wait: Wait = False,
    timeout: Timeout = 120.0,
    as_json: Json = False,
) -> None:
    """Hand a bundle to the coordinator, who places it on the fog nodes."""
    from coordinator.client import Client, DeploymentError
    from models.bundle import BundleError, read_bundle

    _id("name", name)
    try:
        bundle = read_bundle(bundle_dir)
    except BundleError as error:
        _refuse(error)
    with _bus(broker, f"deploy-{uuid.uuid4().hex[:12]}") as bus:
        try:
            status = Client(bus, site).deploy(
                bundle,
                bundle_dir,
                name,
                wait_s=timeout if wait else None,
                tell=_teller(quiet=as_json),
            )
        except DeploymentError as error:
            _refuse(error, 1)
    if as_json:
        _print_json(status.model_dump())


@app.command()
def redeploy(
    name: Annotated[str, typer.Argument(help="The deployment.")],
    broker: Broker = _BROKER,
    site: Site = _SITE,
    wait: Wait = False,
    timeout: Timeout = 120.0,
    as_json: Json = False,
) -> None:
    """Place a deployment anew on the fog nodes of now; no frame is lost by it."""
    from coordinator.client import Client, DeploymentError

    _id("name", name)
    with _bus(broker, f"deploy-{uuid.uuid4().hex[:12]}") as bus:
        try:
            status = Client(bus, site).redeploy(
                name, wait_s=timeout if wait else None, tell=_teller(quiet=as_json)
            )
        except DeploymentError as error:
            _refuse(error, 1)
    if as_json:
        _print_json(status.model_dump())


@app.command()
def undeploy(
    name: Annotated[str, typer.Argument(help="The deployment.")],
    broker: Broker = _BROKER,
    site: Site = _SITE,
) -> None:
    """End a deployment: the fog nodes finish what is under way and forget it."""
    from coordinator.client import Client, DeploymentError

    _id("name", name)
    with _bus(broker, f"deploy-{uuid.uuid4().hex[:12]}") as bus:
        try:
            Client(bus, site).undeploy(name)
        except DeploymentError as error:
            _refuse(error, 1)
    _say(f"{name}: undeployed")


@app.command()
def status(
    broker: Broker = _BROKER,
    site: Site = _SITE,
    listen: Annotated[float, typer.Option(min=0.1, help="Seconds to listen.")] = 1.5,
    as_json: Json = False,
) -> None:
    """Show the fog nodes and the deployments of a site."""
    from coordinator.client import Client
    from coordinator.status_table import status_tables

    _id("site", site)
    with _bus(broker, f"status-{uuid.uuid4().hex[:12]}") as bus:
        picture = Client(bus, site).look(listen)
    if as_json:
        _print_json(picture.as_json())
        return
    for table in status_tables(picture):
        _out.print(table)
    if not picture.states.get(COORDINATOR):
        _say("no coordinator is running in this site; start one: fog-coordinator serve")


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Where the report and the picture go.")] = Path(),
    engine: Annotated[
        Literal["auto", "mosquitto", "embedded"], typer.Option(help="Which broker to run.")
    ] = "auto",
    as_json: Json = False,
) -> None:
    """Search, train, deploy on four fog nodes, stream, kill one of them, and tell what it cost."""
    from coordinator.demo import DemoError, run_demo

    try:
        report = run_demo(out, engine, _err if as_json else _out)
    except DemoError as error:
        _refuse(error, 1)
    if as_json:
        _print_json(report.values)
    for failure in report.failures:
        _err.print(f"not held: {failure}", style="red", highlight=False, soft_wrap=True)
    if report.failures:
        raise typer.Exit(1)


def _teller(*, quiet: bool) -> Any:
    def tell(status: Status) -> None:
        where = ", ".join(f"{part} on {node}" for part, node in sorted(status.placement.items()))
        if not quiet:
            _say(f"{status.deployment}: {status.phase} {status.reason or where}")

    return tell


def main() -> None:
    """Run the command; what only the extra brings is named in one line where it is missing."""
    try:
        app()
    except ModuleNotFoundError as error:
        _err.print(
            f"error: {error.name} is not installed; pip install 'fogweave[coordinator]'",
            style="red", highlight=False, soft_wrap=True, markup=False,
        )  # fmt: skip
        sys.exit(2)
