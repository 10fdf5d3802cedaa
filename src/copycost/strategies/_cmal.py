"""CMAL: the queries whose correlation matrix is nearest to that of the pool."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, cast

import numpy as np

from copycost._types import IntArray
from copycost.inputs import Images
from copycost.strategies._base import Grouping, Knowledge
from copycost.strategies._groups import Grouped, group_sizes
from copycost.subsets._correlation import correlation_matching

__all__ = ["CMAL"]

_STEP = 6e-11  # seconds for one product of two bytes


@dataclass(frozen=True)
class CMAL(Grouped):
    """Minimise || R(S) - R(D) ||_F by greedy choice, R(X) = X X^T / m over pixels in [0, 1].

    D is all that is free: of a group where it chooses within groups, of the pool otherwise. Every channel value is a
    pixel. Nothing is drawn, and the lowest index wins ties.

    Attributes
    ----------
    group : {"none", "label"}
        Choose within each known label, the paper's protocol, or among the whole pool.
    redistribute : bool
        Let other groups take what a small group cannot give.
    """

    name: ClassVar[str] = "cmal"
    media: ClassVar[frozenset[str]] = frozenset({"image"})
    source: ClassVar[str] = "DRMI, section 5.4.1 (Zheng et al., correlation matching based active learning)"

    group: Grouping = "none"
    redistribute: bool = False

    def seconds(self, knowledge: Knowledge, k: int) -> float:
        """Return the time of all products of two points, and of one such pass for each that is chosen."""
        images = cast(Images, knowledge.pool)
        pixels = int(np.prod(images.shape))
        total = 0.0
        for size in group_sizes(knowledge, self.group).tolist():
            share = k * size / len(images)
            total += size * pixels * (min(size, 2 * pixels) + share) * _STEP
        return total

    def choose_within(self, ids: IntArray, count: int, knowledge: Knowledge, rng: np.random.Generator) -> IntArray:
        """Return ``count`` of ``ids`` in the order of choice."""
        images = cast(Images, knowledge.pool.take(ids))
        found = correlation_matching(
            images.array.reshape(len(ids), -1),
            count,
            progress=lambda share: knowledge.report(f"solving for {count}", share),
        )
        return ids[found.indices]
