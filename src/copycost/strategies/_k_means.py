"""k-means: one query for each cluster of the target's probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from copycost._types import AnyArray, IntArray
from copycost.errors import InvalidInput
from copycost.strategies._base import Grouping, Knowledge, Queries, Strategy
from copycost.strategies._confidence import insider_probabilities
from copycost.strategies._groups import by_group, group_sizes
from copycost.subsets._k_means import nearest_to_means, principal_components

__all__ = ["KMeans"]

_STEP = 1.2e-6  # seconds for one point and one cluster in ten runs of k-means


@dataclass(frozen=True)
class KMeans(Strategy):
    """Cluster the target's probability vectors in L2 into as many clusters as queries; take the nearest to each mean.

    k-means runs ten times from k-means++ starts and the best run counts. Where vectors coincide there may be fewer
    clusters with a member than queries; then the largest gives its next nearest. It looks inside the target.
    The record keeps how many clusters were ``empty``, and with ``pca`` the fewest and the most components that a group
    has kept (``components_fewest``, ``components_most``).

    Attributes
    ----------
    pca : float or None
        Share of the variance that principal components of the vectors hold, which then take the vectors' place; None
        for the vectors themselves. "PCA + K-Means" is ``pca=0.95``; the paper does not give its dimension.
    group : {"none", "label"}
        Cluster within each known label, the paper's protocol, or the whole pool; components as well.
    redistribute : bool
        Let other groups take what a small group cannot give.
    """

    name: ClassVar[str] = "k-means"
    source: ClassVar[str] = "DRMI, section 5.4.2, K-Means and PCA + K-Means, Table 12"

    pca: float | None = None
    group: Grouping = "none"
    redistribute: bool = False

    def __post_init__(self) -> None:
        if self.pca is not None and not 0 < self.pca <= 1:
            raise InvalidInput(f"k-means pca is {self.pca:g}; a share above 0 and at most 1 is needed, such as 0.95.")

    @property
    def needs(self) -> frozenset[str]:
        """A look inside the target, and the pool's labels where it is grouped by them."""
        return frozenset({"target_probabilities"} | ({"labels"} if self.group == "label" else set()))

    def choose(self, knowledge: Knowledge, k: int, *, rng: np.random.Generator) -> Queries:
        """Return ``k`` members, group after group; only where k-means starts is drawn."""
        empty: list[int] = []
        components: list[int] = []
        rows, done = insider_probabilities(knowledge), 0

        def within(ids: IntArray, count: int) -> IntArray:
            nonlocal done
            points = self._points(rows[ids])
            found = nearest_to_means(points, count, rng=rng)
            empty.append(found.empty)
            components.append(points.shape[1])
            done += count
            knowledge.report(f"solving for {k}", done / k)
            return ids[found.indices]

        chosen = by_group(knowledge, k, self.group, self.redistribute, within)
        facts: dict[str, float] = {"empty": sum(empty)}
        if self.pca is not None:
            facts |= {"components_fewest": min(components), "components_most": max(components)}
        return Queries.members(knowledge.pool, chosen, facts)

    def seconds(self, knowledge: Knowledge, k: int) -> float:
        """Return the time of k-means over all groups."""
        sizes = group_sizes(knowledge, self.group)
        return float((sizes**2).sum()) * k / len(knowledge.pool) * _STEP

    def _points(self, rows: AnyArray) -> AnyArray:
        return rows if self.pca is None else principal_components(rows, self.pca)
