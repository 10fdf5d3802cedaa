"""The plain kernel: walk one image by intensity and keep a histogram of the other. Kept as a yardstick."""

from __future__ import annotations

import numba
import numpy as np

from copycost._types import ByteArray, Float32Array, FloatArray, IntArray
from copycost.similarity._table import count_log_count

__all__ = ["scalar_block"]


def scalar_block(a: ByteArray, b: ByteArray) -> Float32Array:
    """Return the mutual information between rows of ``a`` (m, p) and ``b`` (n, p) as float32 (m, n)."""
    out = np.empty((len(a), len(b)), dtype=np.float32)
    _scalar_block(a, b, count_log_count(a.shape[1]), out)
    return out


@numba.njit(cache=True)
def _marginal(image: ByteArray, table: FloatArray, counts: IntArray) -> float:
    counts[:] = 0
    for value in image:
        counts[value] += 1
    total = 0.0
    for count in counts:
        total += table[count]
    return total


@numba.njit(cache=True)
def _joint(u: ByteArray, order: IntArray, v: ByteArray, table: FloatArray, counts: IntArray) -> float:
    """Return the sum of c log c over joint counts; ``counts`` (256,) is all zeros before and after."""
    total = 0.0
    start = 0
    while start < len(order):
        stop = start
        while stop < len(order) and u[order[stop]] == u[order[start]]:
            counts[v[order[stop]]] += 1
            stop += 1
        for at in range(start, stop):
            value = v[order[at]]
            total += table[counts[value]]
            counts[value] = 0
        start = stop
    return total


@numba.njit(parallel=True, cache=True)
def _scalar_block(a: ByteArray, b: ByteArray, table: FloatArray, out: Float32Array) -> None:
    pixels = a.shape[1]
    marginal = np.empty(len(b))
    for j in range(len(b)):
        marginal[j] = _marginal(b[j], table, np.zeros(256, np.int64))
    for i in numba.prange(len(a)):
        counts = np.zeros(256, np.int64)
        entropy = _marginal(a[i], table, counts)
        counts[:] = 0
        order = np.argsort(a[i], kind="mergesort")
        for j in range(len(b)):
            joint = _joint(a[i], order, b[j], table, counts)
            out[i, j] = max(0.0, table[pixels] + joint - entropy - marginal[j]) / pixels
