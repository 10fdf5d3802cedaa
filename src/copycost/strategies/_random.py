"""Uniform choice without replacement: what every other strategy is compared to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from copycost._types import IntArray
from copycost.strategies._base import Grouping, Knowledge
from copycost.strategies._groups import Grouped

__all__ = ["Random"]


@dataclass(frozen=True)
class Random(Grouped):
    """Pool members drawn uniformly; with ``group=label`` so many of each (DRMI's baseline, section 5.1)."""

    name: ClassVar[str] = "random"
    source: ClassVar[str] = "DRMI, section 5.1, baseline method"

    group: Grouping = "none"
    redistribute: bool = False

    def choose_within(self, ids: IntArray, count: int, knowledge: Knowledge, rng: np.random.Generator) -> IntArray:
        """Return ``count`` of ``ids`` drawn from ``rng``, in the order of the pool."""
        return np.sort(rng.choice(ids, count, replace=False))
