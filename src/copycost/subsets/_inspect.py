"""One pass over a matrix that finds what no solver can bear."""

from typing import Any

import numpy as np
from numba import njit, prange

from copycost._types import AnyArray

SIDE = 64


@njit(cache=True)
def _compare(tile: AnyArray, mirror: AnyArray, largest: AnyArray, gap: AnyArray) -> None:
    """Keep, lane by lane, the largest absolute value and the largest difference of two parts."""
    for lane in range(SIDE):
        a, b = abs(tile[lane]), abs(mirror[lane])
        larger = a if a > b else b
        difference = abs(tile[lane] - mirror[lane]) - np.float32(1e-4) * larger
        # A comparison with NaN is false, so NaN ends as infinity as well.
        larger = larger if a + b < np.inf else np.float32(np.inf)
        largest[lane] = larger if larger > largest[lane] else largest[lane]
        gap[lane] = difference if difference > gap[lane] else gap[lane]


@njit(cache=True, parallel=True)
def inspect(matrix: AnyArray) -> Any:
    """Find NaN, infinities and missing symmetry in a float32 matrix (n, n), the diagonal apart.

    Returns
    -------
    largest : float32 (n,)
        For each row, the largest absolute value right of the diagonal and below it; infinity for NaN.
    gap : float32 (n,)
        For each row, the largest ``|a[i, j] - a[j, i]|`` beyond the part of 1e-4 that rounding may explain.
    """
    n = matrix.shape[0]
    largest, gap = np.zeros(n, np.float32), np.zeros(n, np.float32)
    tiles = (n + SIDE - 1) // SIDE
    for turn in prange(tiles):
        # Long and short rows of tiles take turns, so that threads with equal shares have equal work.
        tile = turn // 2 if turn % 2 == 0 else tiles - 1 - turn // 2
        top, bottom = tile * SIDE, min((tile + 1) * SIDE, n)
        direct, mirror = np.zeros((SIDE, SIDE), np.float32), np.zeros((SIDE, SIDE), np.float32)
        most, worst = np.zeros((SIDE, SIDE), np.float32), np.zeros((SIDE, SIDE), np.float32)
        for left in range(top, n, SIDE):
            right = min(left + SIDE, n)
            direct[:, right - left :] = 0
            mirror[:, right - left :] = 0
            for j in range(left, right):
                for i in range(top, bottom):
                    mirror[i - top, j - left] = matrix[j, i]
            for i in range(top, bottom):
                direct[i - top, : right - left] = matrix[i, left:right]
                if left == top:
                    direct[i - top, i - top] = mirror[i - top, i - top] = 0
                _compare(direct[i - top], mirror[i - top], most[i - top], worst[i - top])
        for i in range(top, bottom):
            largest[i], gap[i] = most[i - top].max(), worst[i - top].max()
    return largest, gap
