"""`learn` from beginning to end: look at the pictures, decide, search, train, write."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from coordinator.files import FileError
from coordinator.forecast.cost import Forecast
from coordinator.forecast.measure import forecast
from coordinator.learn.decisions import (
    CANDIDATE_PICTURES,
    THREADS,
    decide,
    settings,
    trained_for,
)
from coordinator.learn.destination import Destination
from coordinator.learn.names import bundle_name
from coordinator.progress import Progress, duration
from coordinator.report.assessment import Assessment
from coordinator.report.learned_page import write_learned
from coordinator.report.summary import summary
from coordinator.search.conduct import conduct
from coordinator.search.config import SearchConfig, validating
from coordinator.search.input import InputConfig
from coordinator.search.run_folder import Run
from coordinator.search.scoring import Scoring
from coordinator.search.setup import KNOWN, prepare, to_learn_from
from coordinator.search.train import TrainingStep, chosen, train_winner
from models.bundle import BundleError, check_name
from models.default_network import default_network
from models.recipe import QUICK, advised, recipe
from models.training import Schedule
from pictures.dataset import Dataset
from pictures.errors import DatasetError
from pictures.folders.gathering import Tell, quietly
from pictures.labelled import Pictures


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What `learn` is about to do, checked; nothing is written yet."""

    dataset: Dataset
    config: SearchConfig
    scoring: Scoring
    name: str
    reasons: tuple[str, ...]
    forecast: Forecast

    def lines(self) -> tuple[str, ...]:
        """Return it for people."""
        dataset = self.dataset
        skipped = f", {len(dataset.skipped)} files skipped" if dataset.skipped else ""
        train, test = f"{len(dataset.train):,}", f"{len(dataset.test):,}"
        return (
            f"pictures: {train} to learn from, {test} held out, {len(dataset.classes)} classes{skipped}",
            *(f"warning: {warning}" for warning in dataset.warnings),
            *self.forecast.lines(),
        )


def plan(
    data: str,
    wanted: InputConfig,
    seed: int,
    name: str | None,
    *,
    epochs: int | None = None,
    tell: Tell = quietly,
) -> Plan:
    """Look at the pictures and decide; everything that can be refused is refused here.

    name: of the bundle, None for the data set's. epochs: of the winner's training instead of what
    suits the pictures. tell: told how many files are read.

    Raises:
        FileError: the data set, or an option, is of no use; the sentence says which.
    """
    path = data if data in KNOWN else str(Path(data).resolve())
    try:
        name = bundle_name(data) if name is None else check_name(name)
        dataset = wanted.load(path, tell)
        rest = to_learn_from(dataset, validating(len(dataset.train)))
        advice = advised(rest, seed=seed, epochs=epochs)
        winner = advice.schedule
        candidate, pictures = _candidate(rest, winner, epochs)
        config = decide(
            path,
            wanted,
            seed,
            networks=default_network(dataset.shape, len(dataset.classes)),
            candidate=candidate,
            winner=winner,
            pictures=pictures,
        )
        scoring = prepare(config)
        return Plan(
            dataset, config, scoring, name, advice.reasons, forecast(config, scoring, THREADS)
        )
    except DatasetError as error:
        raise FileError(str(error)) from None
    except (ValueError, BundleError) as error:
        # What a search file calls input.size is an option here.
        raise FileError(f"{data}: {error}".replace(": input.", ": --", 1)) from None


def _candidate(
    pictures: Pictures, winner: Schedule, epochs: int | None
) -> tuple[Schedule, int | None]:
    """Return how a candidate is trained, and on how many pictures (None: all that there are)."""
    if len(pictures) <= 2 * CANDIDATE_PICTURES:
        return trained_for(winner, max(1, round(QUICK * winner.epochs))), None
    few = pictures.take(np.arange(CANDIDATE_PICTURES))
    wanted = round(QUICK * epochs) if epochs else recipe(few, effort=QUICK).epochs
    return trained_for(winner, max(1, wanted)), CANDIDATE_PICTURES


@dataclass(frozen=True, slots=True)
class Done:
    """What came of it: ``learn.json``, and lines for people."""

    result: dict[str, Any]
    lines: tuple[str, ...]


def carry_out(wanted: Plan, out: Destination, told: Progress, *, resume: bool) -> Done:
    """Search, train, and fill the folder; what a resumed folder has already is not done again.

    Raises:
        FileError, ValueError, OSError: one sentence that says what is of no use.
    """
    began = time.perf_counter()
    out.keep_decisions(settings(wanted.config), _introduction(wanted))
    if resume and (found := out.finished()) is not None:
        return Done(found, ("all of it was done before",))
    run = Run(out.run, wanted.config, resume=resume)
    winner_s = wanted.forecast.winner_s or 0.0
    conduct(run, wanted.scoring, told, then=f"then about {duration(winner_s)} of training")
    winner = chosen(out.run, out.bundle, None, wanted.name)
    learned = train_winner(winner, _teller(told), THREADS)
    learned = replace(learned, reasons=wanted.reasons, seconds=time.perf_counter() - began)
    write_learned(learned, out.report)
    result = {
        **Assessment(learned.outcome).summary(),
        "bundle": str(out.bundle),
        "seconds": learned.seconds,
    }
    out.finish(result)
    took = f"{learned.bundle.name} {learned.bundle.version}, after {duration(learned.seconds or 0)}"
    return Done(result, (took, *summary(learned), f"next: {learned.commands[0]}"))


def _teller(told: Progress) -> Callable[[TrainingStep], None]:
    def tell(step: TrainingStep) -> None:
        right = "" if step.accuracy is None else f", {step.accuracy:.1%} of validation right"
        told.tell("training", step.epoch, step.epochs, f"loss {step.loss:.3f}{right}")

    return tell


def _introduction(wanted: Plan) -> str:
    """Return the comment at the head of the search file."""
    dataset = wanted.dataset
    channels, height, width = dataset.shape
    kind = "grey" if channels == 1 else "colour"
    count = len(dataset.train) + len(dataset.test)
    seen = f"{count} pictures of {len(dataset.classes)} classes, seen as {width}x{height} {kind}"
    lines = [
        f"Decided by `learn` for {seen} ({dataset.fingerprint()}).",
        "To change it and run it again: fog-coordinator search THIS_FILE --out RUN",
    ]
    return "\n".join([*lines, *(f"- {reason}" for reason in wanted.reasons)])
