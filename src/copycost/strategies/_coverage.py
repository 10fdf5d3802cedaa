"""Coverage: the queries that, together, lie near every image of the pool."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, cast

import numpy as np

from copycost._types import AnyArray
from copycost.errors import InvalidInput
from copycost.inputs import Images
from copycost.similarity import Similarity
from copycost.similarity._cost import matrix_fits, seconds_per_pair
from copycost.strategies._base import Grouping, Knowledge
from copycost.strategies._groups import group_sizes
from copycost.strategies._mutual_information import ByInformation
from copycost.subsets import coverage, normalised

__all__ = ["Coverage"]

_SOLVER_STEP = 2e-9  # seconds to read one similarity in greedy choice
_READS = 4  # rows read for each point chosen, about, besides one pass over all


@dataclass(frozen=True)
class Coverage(ByInformation):
    """Maximise the sum over all images of MI(u, v) / sqrt(H(u) H(v)) to the nearest image chosen.

    What was asked before is left out of the pool and does not count as chosen.

    Attributes
    ----------
    group : {"none", "label"}
        Choose within each known label, or among the whole pool.
    reference : int or None
        Images to be covered: so many drawn by the generator, or all (None, written ``all``), exactly.
    luminance : bool
        Compare the luminance of colour images; otherwise every channel value is a pixel.
    redistribute : bool
        Let other groups take what a small group cannot give.
    """

    name: ClassVar[str] = "coverage"
    source: ClassVar[str] = (
        "facility location by greedy choice (Nemhauser, Wolsey and Fisher 1978, section 4; Minoux 1978) "
        "on the mutual information of DRMI, Equation 1"
    )

    group: Grouping = "none"
    reference: int | None = None
    luminance: bool = False
    redistribute: bool = False

    def __post_init__(self) -> None:
        if self.reference is not None and self.reference < 1:
            raise InvalidInput(f"coverage reference is {self.reference}; 1 or more is needed, or 'all'.")

    def seconds(self, knowledge: Knowledge, k: int) -> float:
        """Return the time for all pairs, from a trial on a few images, and for the solver, from its complexity."""
        images = cast(Images, knowledge.pool)
        pair = seconds_per_pair(images.array)
        total = 0.0
        for size in group_sizes(knowledge, self.group).tolist():
            share = k * size / len(images)
            width = self.reference if self.reference is not None and self.samples(size) else size
            pairs = size**2 / 2 if matrix_fits(size) else (width + share) * size
            total += pairs * pair + (size + _READS * share) * width * _SOLVER_STEP
        return total

    def samples(self, n: int) -> bool:
        """Return whether fewer than all images are to be covered."""
        return self.reference is not None and self.reference < n

    def solve(
        self, similarity: Similarity, count: int, knowledge: Knowledge, rng: np.random.Generator | None
    ) -> tuple[AnyArray, int]:
        """Return ``count`` points in the order of choice; none is exchanged for another."""
        found = coverage(
            normalised(similarity),
            count,
            reference=None if rng is None else self.reference,
            rng=rng,
            progress=lambda share: knowledge.report(f"solving for {count}", share),
        )
        return found.indices, 0

    def depends_on(self) -> tuple[object, ...]:
        """Return nothing: all images are covered, whatever the parameters."""
        return ()

    def too_large(self, n: int, size: str) -> str:
        """Ask for a sample to be covered."""
        return (
            f"coverage of all of {n} images needs a matrix of {size}; give a sample to be covered, such as "
            "reference=4000, group by label, or take a part of the pool."
        )
