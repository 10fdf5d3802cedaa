"""Coverage: the queries that, together, lie near every image of the pool."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, cast

import numpy as np

from copycost._types import AnyArray, IntArray
from copycost.errors import InvalidInput
from copycost.inputs import Images
from copycost.similarity import OnDemand, Similarity
from copycost.similarity._cost import matrix_bytes, matrix_fits, seconds_per_pair
from copycost.strategies._base import Grouping, Knowledge, Queries, Strategy
from copycost.strategies._groups import by_group
from copycost.strategies._mutual_information import compared, group_sizes, kept_matrix
from copycost.subsets import coverage, normalised

__all__ = ["Coverage"]

_SOLVER_STEP = 2e-9  # seconds to read one similarity in greedy choice
_READS = 4  # rows read for each point chosen, about, besides one pass over all


@dataclass(frozen=True)
class Coverage(Strategy):
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
    media: ClassVar[frozenset[str]] = frozenset({"image"})
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

    @property
    def needs(self) -> frozenset[str]:
        """The pool's labels, where it is grouped by them."""
        return frozenset({"labels"} if self.group == "label" else ())

    def choose(self, knowledge: Knowledge, k: int, *, rng: np.random.Generator) -> Queries:
        """Return ``k`` members in the order of choice; without a sample the result depends on the pool alone."""

        def covering(ids: IntArray, count: int) -> IntArray:
            images = compared(knowledge, ids, self.luminance)
            if self._samples(len(ids)):
                return ids[self._solve(images, count, knowledge, rng)]
            key = ("coverage/1", images.digest(), count)
            return ids[knowledge.memo.array(key, lambda: self._solve(images, count, knowledge, None))]

        return Queries.members(knowledge.pool, by_group(knowledge, k, self.group, self.redistribute, covering))

    def seconds(self, knowledge: Knowledge, k: int) -> float:
        """Return the time for all pairs, from a trial on a few images, and for the solver, from its complexity."""
        images = cast(Images, knowledge.pool)
        pair = seconds_per_pair(images.array)
        total = 0.0
        for size in group_sizes(knowledge, self.group).tolist():
            share = k * size / len(images)
            width = self.reference if self.reference is not None and self._samples(size) else size
            pairs = size**2 / 2 if matrix_fits(size) else (width + share) * size
            total += pairs * pair + (size + _READS * share) * width * _SOLVER_STEP
        return total

    def _samples(self, n: int) -> bool:
        return self.reference is not None and self.reference < n

    def _solve(self, images: Images, count: int, knowledge: Knowledge, rng: np.random.Generator | None) -> AnyArray:
        return coverage(
            normalised(self._similarity(images, knowledge, everything=rng is None)),
            count,
            reference=None if rng is None else self.reference,
            rng=rng,
            progress=lambda share: knowledge.report(f"solving for {count}", share),
        ).indices

    def _similarity(self, images: Images, knowledge: Knowledge, *, everything: bool) -> Similarity:
        if matrix_fits(len(images)):
            return kept_matrix(images, knowledge)
        if everything:
            raise InvalidInput(
                f"coverage of all of {len(images)} images needs a matrix of "
                f"{matrix_bytes(len(images)) / 2**30:.1f} GiB; "
                "give a sample to be covered, such as reference=4000, group by label, or take a part of the pool."
            )
        return OnDemand(images.array)
