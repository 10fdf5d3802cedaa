"""The strategies of a reduction: each chooses among points of a similarity, some of them chosen beforehand.

They stand on the solvers alone, so that a reduction needs no torch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from copycost._types import Float32Array, FloatArray, IntArray
from copycost.similarity import Similarity
from copycost.subsets import Coverage, coverage, lightest_subset, normalised

__all__ = ["ROW_BYTES", "SOLVERS", "Problem", "Solution", "drmi_starts"]

ROW_BYTES = 1 << 30  # rows over a sample are held up to here
_ALPHA = 2.0  # DRMI's exponent, as in the audit's strategy
_STEPS = 3e10  # points looked at by DRMI's solver, about half a minute, that all starts may take
_FEWEST_STARTS = 8


@dataclass(frozen=True)
class Problem:
    """What a solver is given.

    Attributes
    ----------
    similarity : Similarity
        Mutual information of n images, in nats.
    k : int
        Images to be chosen in all, more than are kept.
    kept : int64 array
        Points that are in already.
    reference : int or None
        Images to be covered: a sample of so many, or all.
    rng : numpy.random.Generator
        Draws what a strategy leaves to chance.
    progress : callable
        Takes the share done.
    """

    similarity: Similarity
    k: int
    kept: IntArray
    reference: int | None
    rng: np.random.Generator
    progress: Callable[[float], None]

    @property
    def more(self) -> int:
        """How many are still to be chosen."""
        return self.k - len(self.kept)

    @property
    def candidates(self) -> IntArray:
        """The points that are not kept, ascending."""
        return np.setdiff1d(np.arange(self.similarity.n), self.kept)


@dataclass(frozen=True, eq=False)
class Solution:
    """What a solver chose beyond the kept points.

    Attributes
    ----------
    points : int64 array
        In the order of choice, or ascending where there is none.
    sampled : Coverage or None
        What a sample that guided the choice says of all points; None where there was none.
    """

    points: IntArray
    sampled: Coverage | None = None


def _random(problem: Problem) -> Solution:
    return Solution(problem.rng.permutation(problem.candidates)[: problem.more])


def _coverage(problem: Problem) -> Solution:
    """Return points in the order of greedy choice, each the one that covers most beyond those before it."""
    sampling = problem.reference is not None and problem.reference < problem.similarity.n
    found = coverage(
        normalised(problem.similarity),
        problem.k,
        keep=problem.kept,
        reference=problem.reference if sampling else None,
        rng=problem.rng,
        cache_bytes=ROW_BYTES,
        progress=problem.progress,
    )
    return Solution(found.indices[len(problem.kept) :], found if sampling else None)


def _drmi(problem: Problem) -> Solution:
    """Return the lightest set found that holds the kept points, ascending."""
    similarity, candidates = problem.similarity.power(_ALPHA), problem.candidates
    if not len(problem.kept):
        return Solution(_lightest(similarity, problem))
    to_kept = np.zeros(len(candidates))
    for point in problem.kept.tolist():
        to_kept += similarity.block([point], candidates)[0]
    if problem.more == 1:
        return Solution(candidates[[int(to_kept.argmin())]])
    tilted = _Tilted(similarity.restrict(candidates), to_kept / (problem.more - 1))
    return Solution(candidates[_lightest(tilted, problem)])


def _lightest(similarity: Similarity, problem: Problem) -> IntArray:
    starts = drmi_starts(similarity.n, problem.more)
    return lightest_subset(
        similarity,
        problem.more,
        starts=None if starts == similarity.n else starts,
        rng=problem.rng,
        progress=problem.progress,
    ).indices


def drmi_starts(n: int, k: int) -> int:
    """Return how many starts DRMI takes: all, or what half a minute allows, but at least 8."""
    return int(min(n, max(_FEWEST_STARTS, _STEPS // (n * k))))


SOLVERS: dict[str, Callable[[Problem], Solution]] = {"coverage": _coverage, "drmi": _drmi, "random": _random}


class _Tilted(Similarity):
    """``s(u, v) + w(u) + w(v)``: over the pairs of m points, their own pairs and (m - 1) times the sum of w."""

    def __init__(self, base: Similarity, weights: FloatArray) -> None:
        self._base, self._weights = base, weights.astype(np.float32)

    @property
    def n(self) -> int:
        return self._base.n

    def _block(self, rows: IntArray, columns: IntArray | None) -> Float32Array:
        across = self._weights if columns is None else self._weights[columns]
        return self._base.block(rows, columns) + self._weights[rows, np.newaxis] + across
