"""What a solver hands back, and the exact weight that every solver reports."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from copycost._types import AnyArray, Float32Array, FloatArray, IntArray

__all__ = ["Subset", "Trace"]

PAIRS = 1 << 20  # as float64 at a time


@dataclass(frozen=True)
class Trace:
    """How a subset was found.

    Attributes
    ----------
    method : str
        The solver.
    start : int or None
        The point that the best walk started from; None where the solver has no such point.
    starts : int
        How many starts were tried; fewer than asked for where the time limit ended the search.
    iterations : int
        Exchanges made on the way to this subset; for ``tabu`` all moves of the search.
    most_iterations : int
        Exchanges made from the start that needed most of them.
    """

    method: str
    start: int | None
    starts: int
    iterations: int
    most_iterations: int


@dataclass(frozen=True, eq=False)
class Subset:
    """A chosen subset of points.

    Attributes
    ----------
    indices : int64 array (k,)
        The chosen points, ascending; read-only.
    weight : float
        Sum of the similarities over all pairs in the subset (H of the DRMI paper, Equation 3), in float64.
    trace : Trace
        How it was found.
    bound : float or None
        No subset of this size weighs less than this; None where a bound would need more than the solver read.
    """

    indices: IntArray
    weight: float
    trace: Trace
    bound: float | None = None


def sorted_indices(members: AnyArray) -> IntArray:
    """Return ``members`` ascending as a read-only int64 array."""
    indices = np.sort(members).astype(np.int64)
    indices.flags.writeable = False
    return indices


def pair_sum(block: Float32Array) -> float:
    """Return the sum over the pairs ``i < j`` of a square block, in float64 and in one fixed order.

    The order is that of `numpy.sum` over all pairs, row by row: it halves what is longer than 128 in this way.
    """
    k = len(block)
    starts = np.arange(k + 1) * (2 * k - np.arange(k + 1) - 1) // 2

    def total(left: int, right: int) -> float:
        if right - left <= PAIRS:
            return float(_pairs(block, starts, left, right).sum())
        middle = left + (right - left) // 2 // 8 * 8
        return total(left, middle) + total(middle, right)

    return total(0, k * (k - 1) // 2)


def _pairs(block: Float32Array, starts: IntArray, left: int, right: int) -> FloatArray:
    """Return the pairs ``left`` to ``right`` of a square block; those of row ``i`` begin at ``starts[i]``."""
    pairs = np.empty(right - left)
    first = int(np.searchsorted(starts, left, side="right")) - 1
    for row in range(first, len(block)):
        begin, end = max(left, int(starts[row])), min(right, int(starts[row + 1]))
        if begin >= right:
            break
        skipped = row + 1 - int(starts[row])
        pairs[begin - left : end - left] = block[row, begin + skipped : end + skipped]
    return pairs
