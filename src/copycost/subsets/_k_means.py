"""k-means: one point for each of k clusters."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from copycost._types import AnyArray, FloatArray, IntArray
from copycost.errors import InvalidInput, MissingExtra

__all__ = ["STARTS", "Clustered", "nearest_to_means", "principal_components"]

STARTS = 10
"""Runs of k-means from starts drawn by k-means++, of which the best counts: what scikit-learn long had as default."""


@dataclass(frozen=True, eq=False)
class Clustered:
    """One point for each cluster.

    Attributes
    ----------
    indices : int64 array (k,)
        The chosen points, ascending; read-only.
    empty : int
        Clusters without a point, in whose stead others gave a further one.
    inertia : float
        Sum of the squared distances of all points to the mean of their cluster.
    """

    indices: IntArray
    empty: int
    inertia: float


def nearest_to_means(points: AnyArray, k: int, *, rng: np.random.Generator) -> Clustered:
    """Cluster by k-means and take from each cluster its point nearest to the mean, in L2.

    Where points coincide, there may be fewer clusters with a point than ``k``. Then the cluster with the most points
    left gives its next nearest, until there are ``k``.

    Parameters
    ----------
    points : float array (n, d)
        Finite.
    k : int
        From 1 to n.
    rng : numpy.random.Generator
        Gives k-means its seed; the best of 10 runs from k-means++ starts counts (Lloyd's algorithm, at most 300 steps).

    Returns
    -------
    Clustered
        The lowest index wins among points at the same distance, the lowest cluster among those of the same size.

    Raises
    ------
    InvalidInput
        If the points are not finite numbers in two dimensions or ``k`` is out of range.
    MissingExtra
        If scikit-learn is not installed.

    Examples
    --------
    >>> points = np.array([[0.0], [1.0], [2.0], [10.0], [10.0]])
    >>> nearest_to_means(points, 2, rng=np.random.default_rng(0)).indices.tolist()
    [1, 3]
    """
    points = _checked(points)
    n = len(points)
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or not 1 <= k <= n:
        raise InvalidInput(f"k is {k!r}, and there are {n} points; a whole number from 1 to {n} is needed.")
    clusters, inertia = _clusters(points, k, int(rng.integers(2**31)))
    waiting = [_by_distance(points, np.flatnonzero(clusters == cluster)) for cluster in range(k)]
    chosen = [members.pop(0) for members in waiting if members]
    empty = k - len(chosen)
    chosen += [max(waiting, key=len).pop(0) for _ in range(empty)]
    indices = np.sort(np.array(chosen, np.int64))
    indices.flags.writeable = False
    return Clustered(indices, empty, inertia)


def principal_components(points: AnyArray, share: float) -> FloatArray:
    """Return the points in the fewest principal components that hold a share of the variance, float64 (n, m), m >= 1.

    Raises
    ------
    InvalidInput
        If the points are not finite numbers in two dimensions, or ``share`` is not above 0 and at most 1.

    Examples
    --------
    >>> principal_components(np.array([[0.0, 5.0], [1.0, 5.0], [2.0, 5.0]]), 0.95).shape
    (3, 1)
    """
    points = _checked(points)
    if not 0 < share <= 1:
        raise InvalidInput(f"share is {share:g}; a number above 0 and at most 1 is needed.")
    centred = points - points.mean(axis=0)
    variances, axes = np.linalg.eigh(centred.T @ centred)
    held = np.cumsum(np.maximum(variances[::-1], 0))
    # a share of 1 must not depend on rounding in the last place
    count = min(int(np.searchsorted(held, share * held[-1] * (1 - 1e-12))) + 1, len(held))
    projected: FloatArray = centred @ axes[:, ::-1][:, :count]
    return projected


def _clusters(points: FloatArray, k: int, seed: int) -> tuple[IntArray, float]:
    """Return the cluster of each point, and the inertia."""
    try:
        from sklearn.cluster import KMeans
        from sklearn.exceptions import ConvergenceWarning
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]
    except ImportError as error:
        raise MissingExtra(
            f"k-means needs scikit-learn ({error}); install it with: pip install 'copycost[audit]'"
        ) from None
    solver: Any = KMeans(k, init="k-means++", n_init=STARTS, max_iter=300, algorithm="lloyd", random_state=seed)
    # several threads add up in whichever order they end
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct points than clusters: made up for here
        solver.fit(points)
    return solver.labels_.astype(np.int64), float(solver.inertia_)


def _by_distance(points: FloatArray, members: IntArray) -> list[int]:
    """Return members of one cluster by their distance to their mean; the lowest index wins ties."""
    if not len(members):
        return []
    own = points[members]
    squares = ((own - own.mean(axis=0)) ** 2).sum(axis=1)
    ordered: list[int] = members[np.argsort(squares, kind="stable")].tolist()
    return ordered


def _checked(points: AnyArray) -> FloatArray:
    points = np.asarray(points)
    if points.ndim != 2 or not points.size or points.dtype.kind not in "fiu" or not np.isfinite(points).all():
        raise InvalidInput(
            f"points have shape {points.shape} and dtype {points.dtype}, or are not finite; finite numbers of shape "
            "(n, d) are needed, at least one point of one coordinate."
        )
    return np.ascontiguousarray(points, np.float64)
