"""DRMI: the queries whose images share the least mutual information."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, cast

import numpy as np

from copycost._types import AnyArray
from copycost.errors import InvalidInput
from copycost.inputs import Images
from copycost.similarity import Similarity
from copycost.similarity._cost import matrix_fits, seconds_per_pair
from copycost.strategies._base import Grouping, Knowledge
from copycost.strategies._groups import group_sizes
from copycost.strategies._mutual_information import ByInformation
from copycost.subsets import lightest_subset

__all__ = ["DRMI"]

_SOLVER_STEP = 1e-9  # seconds for one point of one step of greedy and replacement together


@dataclass(frozen=True)
class DRMI(ByInformation):
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

    def samples(self, n: int) -> bool:
        """Return whether there are fewer starts than images."""
        return self.starts is not None and self.starts < n

    def solve(
        self, similarity: Similarity, count: int, knowledge: Knowledge, rng: np.random.Generator | None
    ) -> tuple[AnyArray, int]:
        """Return the lightest ``count`` points found, and the exchanges of the start that needed most."""
        found = lightest_subset(
            similarity.power(self.alpha),
            count,
            method="paper",
            init=self.init,
            starts=None if rng is None else self.starts,
            rng=rng,
            progress=lambda share: knowledge.report(f"solving for {count}", share),
        )
        return found.indices, found.trace.most_iterations

    def depends_on(self) -> tuple[object, ...]:
        """Return the exponent and how the greedy start grows."""
        return (self.alpha, self.init)

    def too_large(self, n: int, size: str) -> str:
        """Ask for a number of starts."""
        return (
            f"drmi with all starts over {n} images needs a matrix of {size}; give a number of starts, such as "
            "starts=8, group by label, or take a part of the pool."
        )
