"""A lower bound on the weight of every subset of one size."""

from __future__ import annotations

import numpy as np
from numba import njit, prange
from scipy.optimize import minimize_scalar

from copycost._types import AnyArray, Float32Array, FloatArray

__all__ = ["lower_bound"]

SPECTRAL = 600


@njit(cache=True)
def _sift_down(heap: AnyArray, value: float) -> None:
    """Put ``value`` in the place of the largest entry of a max-heap."""
    size, hole = heap.size, 0
    while True:
        child = 2 * hole + 1
        if child >= size:
            break
        if child + 1 < size and heap[child + 1] > heap[child]:
            child += 1
        if heap[child] <= value:
            break
        heap[hole] = heap[child]
        hole = child
    heap[hole] = value


@njit(cache=True, parallel=True)
def _least_sums(matrix: AnyArray, count: int) -> AnyArray:
    """For each point, the sum of its ``count`` smallest similarities to other points, float64 (n,)."""
    n = matrix.shape[0]
    sums = np.zeros(n)
    if count == 0:
        return sums
    for i in prange(n):
        heap = np.full(count, np.float32(np.inf))
        row = matrix[i]
        for j in range(n):
            if row[j] < heap[0] and j != i:
                _sift_down(heap, row[j])
        for value in heap:
            sums[i] += value
    return sums


def lower_bound(matrix: Float32Array, k: int, weight: float) -> float:
    """Return a number that no subset of ``k`` points weighs less than, given the ``weight`` of one.

    The larger of two. Each point of a subset has ``k - 1`` partners there, which weigh no less than its
    ``k - 1`` lightest: half the sum of the ``k`` least such sums. And, for up to 600 points, the least value
    of the quadratic form of the matrix over all vectors of the same sum and length, not only zeros and ones.
    """
    sums: FloatArray = _least_sums(matrix, k - 1)
    bound = float(np.partition(sums, k - 1)[:k].sum() / 2)
    if 1 < k < len(matrix) <= SPECTRAL:
        bound = max(bound, _spectral_bound(matrix, k))
    return min(bound, weight)


def _spectral_bound(matrix: Float32Array, k: int) -> float:
    """Minimise ``x' W x / 2`` over all x with ``sum x = k`` and ``x' x = k``.

    With ``x = k / n + z`` this is a quadratic over a sphere of vectors that sum to 0. Any multiplier below
    the least eigenvalue gives a bound, so the search for the best one need not be exact.
    """
    n = len(matrix)
    weights = matrix.astype(np.float64)
    np.fill_diagonal(weights, 0)
    rows = weights.sum(axis=1)
    mean = rows.sum() / n
    centred = weights - rows / n - rows[:, np.newaxis] / n + mean / n
    values, vectors = np.linalg.eigh(centred)
    slope = (vectors.T @ (rows - mean)) * k / n
    radius = k * (n - k) / n
    scale = float(np.abs(values).max()) or 1.0

    def raised(exponent: float) -> float:
        below = scale * np.exp(exponent)
        least = values[0] - 1e-12 * scale - below
        return float(least * radius - (slope**2 / (values - least)).sum())

    found = minimize_scalar(lambda exponent: -raised(exponent), bounds=(-25.0, 10.0), method="bounded")
    bound = (rows.sum() * (k / n) ** 2 + raised(float(found.x))) / 2
    return float(bound - 1e-9 * scale * k)
