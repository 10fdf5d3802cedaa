"""k-center: the queries whose probabilities, together with those asked before, leave none far away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from copycost.strategies._base import Knowledge, Queries, Strategy
from copycost.strategies._substitute import probabilities
from copycost.subsets import k_center

__all__ = ["KCenter"]

_SOLVER_STEP = 5e-10  # seconds for one coordinate of one distance


@dataclass(frozen=True)
class KCenter(Strategy):
    """Greedy k-center in L2 on the copy's probabilities; the centres to begin with are all members asked so far.

    Where none was asked, the first choice is the one farthest from the mean of those that may be chosen. The lowest
    index wins ties. The record keeps the ``radius``: the largest distance that is left from a member that might have
    been chosen to its nearest centre.
    """

    name: ClassVar[str] = "k-center"
    source: ClassVar[str] = "ActiveThief, section 4.1, k-center strategy (Sener and Savarese 2018, Algorithm 1)"

    @property
    def needs(self) -> frozenset[str]:
        """The copy of the round before."""
        return frozenset({"substitute"})

    def choose(self, knowledge: Knowledge, k: int, *, rng: np.random.Generator) -> Queries:
        """Return ``k`` members in the order of choice; nothing is drawn."""
        free = knowledge.free()
        rows = probabilities(knowledge, np.concatenate([free, knowledge.asked]))
        found = k_center(
            rows,
            k,
            centres=np.arange(len(free), len(rows)),
            progress=lambda share: knowledge.report(f"solving for {k}", share),
        )
        return Queries.members(knowledge.pool, free[found.indices], {"radius": found.radius})

    def seconds(self, knowledge: Knowledge, k: int) -> float:
        """Return the time of the solver, as if every query of the budget were a centre."""
        return len(knowledge.pool) * max(k, knowledge.budget) * knowledge.classes * _SOLVER_STEP
