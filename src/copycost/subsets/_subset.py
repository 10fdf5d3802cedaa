"""What a solver hands back, and the exact weight that every solver reports."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from copycost._types import AnyArray, Float32Array, FloatArray, IntArray

__all__ = ["Subset", "Trace"]


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
    """Return the sum over the pairs ``i < j`` of a square block, in float64 and in one fixed order."""
    upper = np.triu_indices(len(block), 1)
    pairs: FloatArray = block[upper].astype(np.float64)
    return float(pairs.sum())
