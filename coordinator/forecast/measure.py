"""The forecast of a search file on this machine: a little training is timed, and scaled."""

from dataclasses import replace

import psutil

from coordinator.forecast.cost import (
    Forecast,
    FrameCost,
    search_seconds,
    sizes,
    training_seconds,
)
from coordinator.search.config import SearchConfig
from coordinator.search.scoring import Scoring
from coordinator.search.train import Winner
from models.training import Schedule
from models.training_seconds import seconds_a_picture


def forecast(config: SearchConfig, scoring: Scoring, threads: int | None = None) -> Forecast:
    """Return what a search and the training of its winner will take, about a second later.

    threads: torch threads of the winner; None, as many as torch takes.

    Raises:
        DatasetError: the data set is not there any more.
    """
    pictures = config.input.load(config.dataset).train
    told = _with_devices(sizes(config, scoring.shape), config, scoring)
    rest = len(pictures) - config.validating(len(pictures))

    def seconds(schedule: Schedule, count: int, threads: int | None) -> float:
        densest = config.dense()
        each = seconds_a_picture(densest, scoring.shape, pictures, schedule, threads=threads)
        return training_seconds(count, schedule.epochs, each)

    winner_s = seconds(config.winner, rest, threads)
    used = min(rest, config.pictures or rest)
    networks = config.algorithm.population * (config.algorithm.generations + 1)
    if config.evaluator == "table":
        return replace(told, winner_s=winner_s)
    if config.evaluator == "supernet":  # shared weights: about as many as the densest network's
        training_s = seconds(config.supernet, used, None)
        return replace(
            told, networks=1, training_s=training_s, search_s=training_s, winner_s=winner_s
        )
    training_s = seconds(config.training, used, 1)
    processes = config.workers or psutil.cpu_count() or 1
    search_s = search_seconds(networks, processes, training_s)
    return replace(
        told, networks=networks, training_s=training_s, search_s=search_s, winner_s=winner_s
    )


def winner_seconds(winner: Winner) -> float:
    """Return what the training of a winner will take, half a second later."""
    rest = len(winner.dataset.train) - winner.validation
    schedule = winner.config.winner
    each = seconds_a_picture(winner.genome, winner.shape, winner.dataset.train, schedule)
    return training_seconds(rest, schedule.epochs, each)


def _with_devices(told: Forecast, config: SearchConfig, scoring: Scoring) -> Forecast:
    """Have a frame's seconds be those on the devices at hand, where the search file names them."""
    if scoring.response is None:
        return told
    cost = FrameCost(
        f"on the {len(config.inventory)} devices",
        scoring.response(config.dense()),
        scoring.response(config.smallest(scoring.shape)),
    )
    return replace(told, frames=(cost,))
