"""The Pareto mode of the search: many objectives instead of one sum, by NSGA-II.

Source: Deb et al., A fast and elitist multiobjective genetic algorithm: NSGA-II, 2002
(doi:10.1109/4235.996017). Ranks and crowding distances are pymoo's; operators and engine are ours.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import Any, Generic, TypeVar

import numpy as np

from evolution.engine import Individual, Settings

G = TypeVar("G")


def front(values: Sequence[Sequence[float]]) -> list[int]:
    """Return the indices of the vectors that no other dominates, ascending; smaller is better.

    values: (individuals, objectives). Equal vectors do not dominate each other, so all of them stay.
    """
    from pymoo.util.nds.non_dominated_sorting import NonDominatedSorting

    if not values:
        return []
    sorting = NonDominatedSorting()
    found = sorting.do(np.asarray(values, np.float64), only_non_dominated_front=True)
    return sorted(int(index) for index in found)


class ParetoSurvival(Generic[G]):
    """NSGA-II's survival as the engine takes it: the best of parents and children, best first.

    The engine's fitness stays a number for reports; what decides here are `objectives`, a vector
    for each genotype, every one to be small. Of genotypes that are one `network` a single one
    survives, so the population may be smaller than the settings say. `elitism` plays no part.
    """

    def __init__(
        self, objectives: Callable[[G], Sequence[float]], network: Callable[[G], Hashable]
    ) -> None:
        self._objectives, self._network = objectives, network

    def __call__(
        self,
        parents: Sequence[Individual[Any]],
        children: Sequence[Individual[Any]],
        settings: Settings,
    ) -> list[Individual[Any]]:
        """Keep as many as the population, by rank, then by crowding distance."""
        from pymoo.core.population import Population
        from pymoo.core.problem import Problem
        from pymoo.operators.survival.rank_and_crowding import RankAndCrowding

        distinct: dict[Hashable, Individual[Any]] = {}
        for individual in [*parents, *children]:
            distinct.setdefault(self._network(individual.genome), individual)
        candidates = list(distinct.values())
        values = np.array([self._objectives(each.genome) for each in candidates], np.float64)
        ranked = Population.new("F", values)  # values: (candidates, objectives)
        kept = RankAndCrowding().do(
            Problem(n_obj=values.shape[1]),
            ranked,
            n_survive=settings.population,
            # Equal distances are drawn for. The same draw each time keeps a survival pure.
            random_state=np.random.default_rng(0),
            return_indices=True,
        )
        best_first = sorted(kept, key=lambda i: (ranked[i].get("rank"), -ranked[i].get("crowding")))
        return [candidates[index] for index in best_first]
