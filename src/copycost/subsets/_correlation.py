"""Correlation matching: points whose correlation matrix is near that of all points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from copycost._types import AnyArray, ByteArray, FloatArray, IntArray
from copycost.errors import InvalidInput
from copycost.subsets._clock import Progress

__all__ = ["Matched", "correlation_matching"]

_PART = 4096  # points as float64 at a time
_WHITE = 255.0**4  # four pixels multiplied, in units of bytes


@dataclass(frozen=True, eq=False)
class Matched:
    """Points chosen for their correlation matrix.

    Attributes
    ----------
    indices : int64 array (k,)
        The chosen points in the order of choice, so that the first m are the answer for m; read-only.
    distance : float
        Frobenius norm of the difference that is left between the two correlation matrices, for pixels in [0, 1].
    """

    indices: IntArray
    distance: float


def correlation_matching(points: ByteArray, k: int, *, progress: Progress | None = None) -> Matched:
    """Choose ``k`` points, one at a time, each bringing R(chosen) nearest to R(all), where R(X) = X X^T / m.

    Parameters
    ----------
    points : uint8 array (n, d)
        One point a row: the columns of X, as pixels from 0 to 255 that stand for [0, 1].
    k : int
        From 1 to n.
    progress : callable, optional
        Called with the share of the points that is chosen.

    Returns
    -------
    Matched
        The lowest index wins every tie: all products of bytes are exact.

    Raises
    ------
    InvalidInput
        If the points are not bytes in two dimensions or ``k`` is out of range.

    Notes
    -----
    With m points chosen, A the sum of their x x^T, and R = R(all), a candidate x leads to

        || (A + x x^T) / (m + 1) - R ||^2 = const + (2 x^T A x - 2 (m + 1) x^T R x + (x^T x)^2) / (m + 1)^2 .

    x^T R x and x^T x never change, and x^T A x grows by (x^T s)^2 when s is chosen. So a step is one product of a point
    with all others, and no matrix of d x d is looked at. x^T R x costs O(n d min(n, d)) once.

    References
    ----------
    DRMI (USENIX Security 2021), section 5.4.1, after Zheng et al., correlation matching based active learning.

    Examples
    --------
    >>> points = np.array([[255, 0], [0, 255], [255, 255]], np.uint8)
    >>> found = correlation_matching(points, 2)
    >>> found.indices.tolist(), round(found.distance, 4)
    ([0, 2], 0.441)
    """
    points = _checked(points)
    n = len(points)
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or not 1 <= k <= n:
        raise InvalidInput(f"k is {k!r}, and there are {n} points; a whole number from 1 to {n} is needed.")
    with_all = _squares_with_all(points)
    with_chosen = np.zeros(n)
    own = _products(points, points).astype(np.float64) ** 2
    chosen = np.empty(k, np.int64)
    free = np.ones(n, bool)
    for m in range(k):
        scores = 2 * (with_chosen - (m + 1) / n * with_all) + own
        chosen[m] = np.where(free, scores, np.inf).argmin()
        free[chosen[m]] = False
        _add_squares(points, points[chosen[m]], with_chosen)
        if progress is not None:
            progress((m + 1) / k)
    square = (with_chosen[chosen].sum() / k**2 - 2 * with_all[chosen].sum() / (k * n) + with_all.sum() / n**2) / _WHITE
    chosen.flags.writeable = False
    return Matched(chosen, float(np.sqrt(max(square, 0.0))))


def _squares_with_all(points: ByteArray) -> FloatArray:
    """Return for each point the sum over all points of their squared product, n x^T R x, float64 (n,)."""
    n, d = points.shape
    total = np.zeros(n)
    if n <= 2 * d:
        for point in points:
            _add_squares(points, point, total)
        return total
    matrix = np.zeros((d, d))
    parts = [slice(start, start + _PART) for start in range(0, n, _PART)]
    for part in parts:
        rows = points[part].astype(np.float64)
        matrix += rows.T @ rows
    for part in parts:
        rows = points[part].astype(np.float64)
        total[part] = ((rows @ matrix) * rows).sum(axis=1)
    return total


@njit(cache=True)
def _add_squares(points: ByteArray, point: ByteArray, total: FloatArray) -> None:
    """Add to ``total`` float64 (n,) the squared product of each of ``points`` (n, d) with ``point`` (d,)."""
    for i in range(points.shape[0]):
        product = np.int64(0)
        for j in range(points.shape[1]):
            product += np.int64(points[i, j]) * np.int64(point[j])
        total[i] += np.float64(product) * np.float64(product)


@njit(cache=True)
def _products(a: ByteArray, b: ByteArray) -> IntArray:
    """Return the product of each row of ``a`` (n, d) with the same row of ``b``, int64 (n,)."""
    out = np.zeros(a.shape[0], np.int64)
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            out[i] += np.int64(a[i, j]) * np.int64(b[i, j])
    return out


def _checked(points: AnyArray) -> ByteArray:
    points = np.asarray(points)
    if points.ndim != 2 or not points.size or points.dtype != np.uint8:
        raise InvalidInput(
            f"points have shape {points.shape} and dtype {points.dtype}; uint8 of shape (n, d) is needed, at least one "
            "point of one pixel. Lay images out with .reshape(len(images), -1)."
        )
    return np.ascontiguousarray(points)
