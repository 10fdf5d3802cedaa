"""The strategies of a reduction: each chooses among points of a similarity, some of them chosen beforehand.

They stand on the solvers alone, so that a reduction needs no torch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from copycost._types import Float32Array, FloatArray, IntArray
from copycost.similarity import Similarity
from copycost.subsets import lightest_subset, normalised
from copycost.subsets._coverage import _lazy_greedy
from copycost.subsets._rows import Rows, rows_of

__all__ = ["SOLVERS", "Problem", "drmi_starts"]

_ALPHA = 2.0  # DRMI's exponent, as in the audit's strategy
_CACHE = 1 << 30
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


def _random(problem: Problem) -> IntArray:
    return problem.rng.permutation(problem.candidates)[: problem.more]


def _coverage(problem: Problem) -> IntArray:
    """Return points in the order of greedy choice, each the one that covers most beyond those before it."""
    similarity = normalised(problem.similarity)
    targets = None
    if problem.reference is not None and problem.reference < similarity.n:
        targets = np.sort(problem.rng.choice(similarity.n, problem.reference, replace=False))
    rows = rows_of(similarity, targets, targets is not None, _CACHE)
    cover = np.zeros_like(rows.get([0])[0])
    for point in problem.kept.tolist():
        np.maximum(cover, rows.get([point])[0], out=cover)
    candidates = problem.candidates
    chosen, _, _ = _lazy_greedy(_Beyond(rows, candidates, cover), problem.more, problem.progress)
    return candidates[chosen]


def _drmi(problem: Problem) -> IntArray:
    """Return the lightest set found that holds the kept points, ascending."""
    similarity, candidates = problem.similarity.power(_ALPHA), problem.candidates
    if not len(problem.kept):
        return _lightest(similarity, problem)
    to_kept = np.zeros(len(candidates))
    for point in problem.kept.tolist():
        to_kept += similarity.block([point], candidates)[0]
    if problem.more == 1:
        return candidates[[int(to_kept.argmin())]]
    tilted = _Tilted(similarity.restrict(candidates), to_kept / (problem.more - 1))
    return candidates[_lightest(tilted, problem)]


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


SOLVERS: dict[str, Callable[[Problem], IntArray]] = {"coverage": _coverage, "drmi": _drmi, "random": _random}


class _Beyond:
    """Rows of the candidates less what the kept points cover already; satisfies `Rows`."""

    def __init__(self, rows: Rows, candidates: IntArray, cover: Float32Array) -> None:
        self._rows, self._candidates, self._cover = rows, candidates, cover
        self.batch = rows.batch

    def sums(self) -> FloatArray:
        # Upper bounds are all that lazy greedy choice needs, and no row gains more than its sum.
        return self._rows.sums()[self._candidates]

    def get(self, points: list[int]) -> list[Float32Array]:
        return [np.maximum(row - self._cover, 0) for row in self._rows.get(self._candidates[points].tolist())]


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
