"""Greedy k-center: points chosen so that no point lies far from all of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from copycost._types import AnyArray, FloatArray, IntArray
from copycost.errors import InvalidInput
from copycost.subsets._clock import Progress

__all__ = ["Centres", "k_center"]

STEPS = 8  # coordinates added before a sum is compared with what it has to beat
TAKEN = -1.0
TOLD_EVERY = 256


@dataclass(frozen=True, eq=False)
class Centres:
    """Points chosen to leave no point far from all of them.

    Attributes
    ----------
    indices : int64 array (k,)
        The chosen points in the order of choice, so that the first m are the answer for m; read-only.
    distances : float64 array (k,)
        From each, when it was chosen, to the nearest centre before it; infinite for the first where there was
        none. Read-only.
    radius : float
        The largest distance from any point to its nearest centre in the end, given centres included.
    """

    indices: IntArray
    distances: FloatArray
    radius: float


def k_center(
    points: AnyArray, k: int, *, centres: AnyArray | list[int] | None = None, progress: Progress | None = None
) -> Centres:
    """Choose ``k`` points, one at a time, each the farthest in L2 from all centres so far.

    Parameters
    ----------
    points : float32 or float64 array (n, d)
        Finite. Distances are summed in float64, coordinate by coordinate. Nothing of n x n is built: beyond the
        points the memory is one float64 a point, and the time is O((k + centres) n d).
    k : int
        From 1 to n less the given centres.
    centres : integer array, optional
        Points that are centres already, and are not chosen again. Without any, the first choice is the point
        farthest from the mean of all points.
    progress : callable, optional
        Called with the share of the centres, given and chosen, that has been gone through.

    Returns
    -------
    Centres
        The lowest index wins every tie, also between points that lie on a centre: k distinct points are always
        returned.

    Raises
    ------
    InvalidInput
        If the points are not finite numbers in two dimensions, ``k`` is out of range, or ``centres`` are not distinct
        points.

    References
    ----------
    Gonzalez, "Clustering to minimize the maximum intercluster distance", 1985, whose bound says that without given
    centres the radius is at most twice the smallest; Sener and Savarese, "Active learning for convolutional neural
    networks: a core-set approach", 2018, Algorithm 1.

    Examples
    --------
    >>> line = np.array([[0.0], [1.0], [2.0], [10.0]])
    >>> found = k_center(line, 2, centres=[0])
    >>> found.indices.tolist(), found.radius
    ([3, 2], 1.0)
    """
    points = _checked_points(points)
    given = _checked_centres(centres, len(points))
    k = _checked_k(k, len(points), len(given))
    nearest = np.full(len(points), np.inf)
    nearest[given] = TAKEN
    farthest = -1 if len(given) else _move(points, nearest.copy(), points.mean(axis=0, dtype=np.float64))
    work = len(given) + k
    for done, centre in enumerate(given.tolist(), start=1):
        farthest = _move(points, nearest, points[centre].astype(np.float64))
        _tell(progress, done, work)
    chosen, squares = np.empty(k, np.int64), np.empty(k)
    for step in range(k):
        chosen[step], squares[step] = farthest, nearest[farthest]
        nearest[farthest] = TAKEN
        farthest = _move(points, nearest, points[farthest].astype(np.float64))
        _tell(progress, len(given) + step + 1, work)
    radius = float(np.sqrt(max(nearest.max(), 0.0)))
    return Centres(_read_only(chosen), _read_only(np.sqrt(squares)), radius)


@njit(cache=True)
def _move(points: AnyArray, nearest: FloatArray, centre: FloatArray) -> int:
    """Lower ``nearest`` float64 (n,) to the squared distances from ``centre``; return the farthest point left, or -1.

    A sum of squares only grows, so it is given up as soon as it reaches the distance held: the result is the same.
    """
    dimensions = points.shape[1]
    farthest, largest = -1, TAKEN
    for i in range(points.shape[0]):
        held = nearest[i]
        if held > 0:
            total = 0.0
            for left in range(0, dimensions, STEPS):
                for j in range(left, min(left + STEPS, dimensions)):
                    gap = np.float64(points[i, j]) - centre[j]
                    total += gap * gap
                if total >= held:
                    break
            if total < held:
                held = total
                nearest[i] = held
        if held > largest:
            farthest, largest = i, held
    return farthest


def _tell(progress: Progress | None, done: int, work: int) -> None:
    if progress is not None and (done % TOLD_EVERY == 0 or done == work):
        progress(done / work)


def _checked_points(points: AnyArray) -> AnyArray:
    points = np.asarray(points)
    if points.ndim != 2 or not points.size or points.dtype not in (np.float32, np.float64):
        raise InvalidInput(
            f"points have shape {points.shape} and dtype {points.dtype}; float32 or float64 of shape (n, d) is needed, "
            "at least one point of one coordinate. Convert with .astype(numpy.float32)."
        )
    bad = ~np.isfinite(points).all(axis=1)
    if bad.any():
        raise InvalidInput(f"point {int(bad.argmax())} holds NaN or infinity; leave it out, or compute it anew.")
    return np.ascontiguousarray(points)


def _checked_centres(centres: AnyArray | list[int] | None, n: int) -> IntArray:
    given = np.asarray([] if centres is None else centres)
    if given.ndim != 1 or (given.size and given.dtype.kind not in "iu"):
        raise InvalidInput(
            f"centres have shape {given.shape} and dtype {given.dtype}; point numbers in one dimension are needed. "
            "Turn a mask into them with numpy.flatnonzero."
        )
    if given.size and (given.min() < 0 or given.max() >= n or np.unique(given).size != given.size):
        raise InvalidInput(
            f"centres hold points from {given.min()} to {given.max()}, {np.unique(given).size} distinct of "
            f"{given.size}; distinct points from 0 to {n - 1} are needed. Name each point once."
        )
    return given.astype(np.int64)


def _checked_k(k: int, n: int, given: int) -> int:
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or not 1 <= k <= n - given:
        raise InvalidInput(
            f"k is {k!r}, and {n - given} of {n} points are no centres yet; a whole number from 1 to {n - given} is "
            "needed. Ask for fewer points, or pass more."
        )
    return int(k)


def _read_only(array: AnyArray) -> AnyArray:
    array.flags.writeable = False
    return array
