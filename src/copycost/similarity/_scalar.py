"""The plain kernel, a yardstick for tests and benchmarks: one image by level, a histogram of the other."""

from __future__ import annotations

import numba
import numpy as np

from copycost._types import AnyArray, ByteArray, Float32Array, FloatArray
from copycost.similarity._table import count_log_count

__all__ = ["scalar_block"]


def scalar_block(a: ByteArray, b: ByteArray) -> Float32Array:
    """Return the mutual information between ``a`` (m, p) and ``b`` (n, p) as float32 (m, n), on one core."""
    order = np.argsort(a, axis=1, kind="stable").astype(np.uint32)
    return _block(a, order, b, count_log_count(a.shape[1]))


@numba.njit(cache=True)
def _marginal(image: ByteArray, table: FloatArray) -> float:
    counts = np.zeros(256, np.uint32)
    for value in image:
        counts[value] += np.uint32(1)
    total = 0.0
    for count in counts:
        total += table[count]
    return total


@numba.njit(cache=True)
def _joint(u: ByteArray, order: AnyArray, v: ByteArray, table: FloatArray, counts: AnyArray) -> float:
    """Return the sum of c log c over joint counts; ``counts`` (256,) is all zeros before and after."""
    total = 0.0
    start, end = np.uint32(0), np.uint32(len(order))
    while start < end:
        level = u[order[start]]
        stop = start
        while stop < end and u[order[stop]] == level:
            counts[v[order[stop]]] += np.uint32(1)
            stop += np.uint32(1)
        for at in range(start, stop):
            value = v[order[at]]
            total += table[counts[value]]
            counts[value] = 0
        start = stop
    return total


@numba.njit(cache=True)
def _block(a: ByteArray, order: AnyArray, b: ByteArray, table: FloatArray) -> Float32Array:
    pixels = a.shape[1]
    out = np.empty((len(a), len(b)), np.float32)
    marginal = np.array([_marginal(image, table) for image in b])
    counts = np.zeros(256, np.uint32)
    for i in range(len(a)):
        entropy = _marginal(a[i], table)
        for j in range(len(b)):
            joint = _joint(a[i], order[i], b[j], table, counts)
            out[i, j] = max(0.0, table[pixels] + joint - entropy - marginal[j]) / pixels
    return out
