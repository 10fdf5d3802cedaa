"""A lower bound on the weight of every subset of one size."""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from copycost._types import AnyArray, Float32Array, FloatArray

__all__ = ["lower_bound"]


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
    """Return half the sum of the ``k`` least sums of ``k - 1`` smallest similarities of one point.

    Each point of a subset has ``k - 1`` partners there, which weigh no less than its ``k - 1`` lightest.
    """
    sums: FloatArray = _least_sums(matrix, k - 1)
    return float(np.partition(sums, k - 1)[:k].sum() / 2)
