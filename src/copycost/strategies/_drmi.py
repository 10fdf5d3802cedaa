"""DRMI: the queries whose images share the least mutual information."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, cast

import numpy as np

from copycost._types import AnyArray, IntArray
from copycost.errors import InvalidInput
from copycost.inputs import Images
from copycost.similarity import OnDemand, Similarity
from copycost.similarity._cost import matrix_bytes, matrix_fits, seconds_per_pair
from copycost.strategies._base import Grouping, Knowledge, Queries, Strategy
from copycost.strategies._groups import by_group
from copycost.strategies._mutual_information import compared, group_sizes, kept_matrix
from copycost.subsets import lightest_subset

__all__ = ["DRMI"]

_SOLVER_STEP = 1e-9  # seconds for one point of one step of greedy and replacement together


@dataclass(frozen=True)
class DRMI(Strategy):
    """Minimise the sum of I = MI^alpha over all pairs chosen (DRMI, section 4; Algorithms 1 to 3).

    Attributes
    ----------
    alpha : float
        Exponent of Equation 2.
    init : {"min-sum", "min-max"}
        How the greedy start grows (Equations 7 and 8).
    starts : int or None
        Starting images: so many drawn by the generator, or all (None, written ``all``).
    group : {"none", "label"}
        Choose within each known label, the paper's protocol, or among the whole pool.
    luminance : bool
        Compare the luminance of colour images; otherwise every channel value is a pixel.
    redistribute : bool
        Let other groups take what a small group cannot give.
    """

    name: ClassVar[str] = "drmi"
    media: ClassVar[frozenset[str]] = frozenset({"image"})
    source: ClassVar[str] = "DRMI, section 4, Algorithms 1 to 3"

    alpha: float = 2.0
    init: Literal["min-sum", "min-max"] = "min-sum"
    starts: int | None = None
    group: Grouping = "none"
    luminance: bool = False
    redistribute: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.alpha <= 64:
            raise InvalidInput(f"drmi alpha is {self.alpha:g}; a number above 0 and at most 64 is needed.")
        if self.starts is not None and self.starts < 1:
            raise InvalidInput(f"drmi starts is {self.starts}; 1 or more is needed, or 'all'.")

    @property
    def needs(self) -> frozenset[str]:
        """The pool's labels, where it is grouped by them."""
        return frozenset({"labels"} if self.group == "label" else ())

    def choose(self, knowledge: Knowledge, k: int, *, rng: np.random.Generator) -> Queries:
        """Return the lightest ``k`` members found; with all starts the result depends on the pool alone."""

        def lightest(ids: IntArray, count: int) -> IntArray:
            images = compared(knowledge, ids, self.luminance)
            if self.starts is not None and self.starts < len(ids):
                return ids[self._solve(images, count, knowledge, rng)]
            key = ("drmi/1", images.digest(), count, self.alpha, self.init)
            return ids[knowledge.memo.array(key, lambda: self._solve(images, count, knowledge, None))]

        return Queries.members(knowledge.pool, by_group(knowledge, k, self.group, self.redistribute, lightest))

    def seconds(self, knowledge: Knowledge, k: int) -> float:
        """Return the time for all pairs, from a trial on a few images, and for the solver, from its complexity."""
        images = cast(Images, knowledge.pool)
        pair = seconds_per_pair(images.array)
        total = 0.0
        for size in group_sizes(knowledge, self.group).tolist():
            share = k * size / len(images)
            starts = size if self.starts is None else min(self.starts, size)
            pairs = size**2 / 2 if matrix_fits(size) else starts * 2 * share * size
            total += pairs * pair + starts * share * size * _SOLVER_STEP
        return total

    def _solve(self, images: Images, count: int, knowledge: Knowledge, rng: np.random.Generator | None) -> AnyArray:
        similarity = self._similarity(images, knowledge, everything=rng is None).power(self.alpha)
        starts = None if rng is None else self.starts
        return lightest_subset(
            similarity,
            count,
            method="paper",
            init=self.init,
            starts=starts,
            rng=rng,
            progress=lambda share: knowledge.report(f"solving for {count}", share),
        ).indices

    def _similarity(self, images: Images, knowledge: Knowledge, *, everything: bool) -> Similarity:
        if matrix_fits(len(images)):
            return kept_matrix(images, knowledge)
        if everything:
            raise InvalidInput(
                f"drmi with all starts over {len(images)} images needs a matrix of "
                f"{matrix_bytes(len(images)) / 2**30:.1f} GiB; "
                "give a number of starts, such as starts=8, group by label, or take a part of the pool."
            )
        return OnDemand(images.array)
