"""Uniform choice without replacement: what every other strategy is compared to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from copycost._types import IntArray
from copycost.strategies._base import Grouping, Knowledge, Queries, Strategy
from copycost.strategies._groups import by_group

__all__ = ["Random"]


@dataclass(frozen=True)
class Random(Strategy):
    """Pool members drawn uniformly; with ``group=label`` so many of each (DRMI's baseline, section 5.1)."""

    name: ClassVar[str] = "random"
    source: ClassVar[str] = "DRMI, section 5.1, baseline method"

    group: Grouping = "none"
    redistribute: bool = False

    @property
    def needs(self) -> frozenset[str]:
        """The pool's labels, where it is grouped by them."""
        return frozenset({"labels"} if self.group == "label" else ())

    def choose(self, knowledge: Knowledge, k: int, *, rng: np.random.Generator) -> Queries:
        """Return ``k`` members drawn from ``rng``, in the order of the pool."""

        def draw(ids: IntArray, count: int) -> IntArray:
            return np.sort(rng.choice(ids, count, replace=False))

        return Queries.members(knowledge.pool, by_group(knowledge, k, self.group, self.redistribute, draw))
