"""Facility location: the points that, together, lie near all points."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
from numba import njit

from copycost._types import AnyArray, Float32Array, FloatArray, IntArray
from copycost.errors import InvalidInput
from copycost.similarity import Similarity
from copycost.subsets._checks import Keep, check_k, check_keep, probe_symmetry
from copycost.subsets._clock import Progress
from copycost.subsets._rows import Rows, rows_of

__all__ = ["Coverage", "coverage"]

LANES = 16
VALUE_ROWS = 64
# Bounds are summed in another order than gains; this keeps them above in spite of rounding.
INFLATION = 1 + 1e-9


@dataclass(frozen=True, eq=False)
class Coverage:
    """Points chosen to lie near all points.

    Attributes
    ----------
    indices : int64 array (k,)
        The kept points in the order given, then the chosen ones in the order of choice, so that the first m are
        the answer for m; read-only.
    gains : float64 array (k,)
        What each added to the sum over the reference points; read-only.
    value : float
        Sum over all points (over the given points, if the reference was an array) of the similarity to the
        nearest chosen point; exact also when the choice was guided by a sample.
    estimate : float or None
        The same as the reference sample saw it: what it says of the points that were not chosen, scaled to all of
        them. None without a sample, or if all of it was chosen.
    error : float or None
        ``estimate - value``; None as the estimate.
    standard_error : float or None
        Of the estimate, had the points been chosen before the sample was drawn. They are chosen to cover it, so
        the estimate leans upwards. None as the estimate, or if one sampled point alone was not chosen.
    bound : float or None
        No k points that hold the kept ones have a larger value; None with a sample.
    """

    indices: IntArray
    gains: FloatArray
    value: float
    estimate: float | None
    error: float | None
    standard_error: float | None
    bound: float | None


def coverage(
    similarity: Similarity,
    k: int,
    *,
    keep: Keep = None,
    reference: int | AnyArray | list[int] | None = None,
    rng: np.random.Generator | None = None,
    cache_bytes: int = 1 << 30,
    progress: Progress | None = None,
) -> Coverage:
    """Choose ``k`` points greedily so that every point is similar to one of them.

    Parameters
    ----------
    similarity : Similarity
        Symmetric, none of its values negative, such as `normalised` mutual information. Unlike for the
        lightest subset the diagonal counts: it says how well a chosen point covers itself.
    k : int
        From 1 to n; points that are kept count.
    keep : integer array, optional
        Distinct points, at most k, that are in before the others are chosen.
    reference : None, int or integer array
        The points to be covered: all, exactly; a sample of this many drawn by ``rng``; or these.
    rng : numpy.random.Generator, optional
        Needed to draw a sample.
    cache_bytes : int
        The most bytes that rows may take. Where all n rows fit they are computed once; otherwise gains are
        bounded in one stream over all rows, and rows are computed again when a point comes near to being
        chosen: on MNIST about five times each for 600 of 20,000, so that a sample is then the faster way.
    progress : callable, optional
        Called with the share of k chosen.

    Returns
    -------
    Coverage
        The lowest index wins every tie.

    Raises
    ------
    InvalidInput
        If ``k``, ``keep`` or ``reference`` is out of range, ``rng`` is missing, or the similarity has a negative value
        or NaN or is not symmetric.

    Notes
    -----
    Maximises ``sum_v max_{u in S} s(u, v)``. Greedy choice is within 1 - 1/e of the best (Nemhauser, Wolsey
    and Fisher 1978); gains only shrink, so stale ones bound fresh ones and few are computed (Minoux 1978). In
    a sample a point does not count itself, which would favour the sampled ones; the estimate adds that part.
    With points kept, the others are within 1 - 1/e of the best that can be added to them.

    Examples
    --------
    >>> from copycost.similarity import Dense
    >>> two_groups = Dense(np.kron(np.eye(2), np.full((3, 3), 0.5)) + np.eye(6) / 2)
    >>> coverage(two_groups, 2).indices.tolist()
    [0, 3]
    >>> coverage(two_groups, 2, keep=[4]).indices.tolist()
    [4, 0]
    """
    k = check_k(k, similarity.n)
    kept = check_keep(keep, k, similarity.n)
    if cache_bytes < 0:
        raise InvalidInput(f"cache_bytes is {cache_bytes}; give 0 (keep nothing) or a number of bytes.")
    targets, sampled = _targets(reference, similarity.n, rng)
    probe_symmetry(similarity)
    rows = rows_of(similarity, targets, sampled, cache_bytes)
    greedy = _lazy_greedy(rows, k, kept, progress)
    chosen, covered = greedy.chosen, float(greedy.gains.sum())
    if targets is None or not sampled:
        return Coverage(chosen, greedy.gains, covered, None, None, None, covered + greedy.left)
    value = _value(similarity, chosen)
    estimate, spread = _estimate(similarity, greedy, targets)
    error = None if estimate is None else estimate - value
    return Coverage(chosen, greedy.gains, value, estimate, error, spread, None)


def _targets(
    reference: int | AnyArray | list[int] | None, n: int, rng: np.random.Generator | None
) -> tuple[IntArray | None, bool]:
    """Return the points to be covered, None for all, and whether they are a sample of all."""
    if reference is None:
        return None, False
    if isinstance(reference, (int, np.integer)) and not isinstance(reference, bool):
        return _sample(int(reference), n, rng), True
    given = np.asarray(reference)
    if given.ndim != 1 or given.size == 0 or given.dtype.kind not in "iu":
        raise InvalidInput(
            f"reference is {reference!r}; None for all points, a count, or a list is needed. "
            "Pass at least one point, as integers in one dimension."
        )
    if given.min() < 0 or given.max() >= n:
        raise InvalidInput(
            f"reference holds points from {given.min()} to {given.max()}; 0 to {n - 1} are allowed. "
            "Leave out the points that the similarity does not have."
        )
    return given.astype(np.int64), False


def _sample(count: int, n: int, rng: np.random.Generator | None) -> IntArray:
    if not 1 <= count <= n:
        raise InvalidInput(f"reference is {count}; 1 to {n} are allowed. Pass None for all points.")
    if rng is None:
        raise InvalidInput(
            f"reference is the count {count} and rng is None; a sample is drawn by a generator. "
            "Pass rng=numpy.random.default_rng(seed), or name the points as a list."
        )
    return np.sort(rng.choice(n, size=count, replace=False)).astype(np.int64)


@njit(cache=True)
def _gain(row: AnyArray, cover: AnyArray) -> float:
    """Return by how much ``row`` float32 (m,) would raise the sum of ``cover`` float32 (m,)."""
    lanes = np.zeros(LANES)
    whole = row.size - row.size % LANES
    for left in range(0, whole, LANES):
        part, held = row[left : left + LANES], cover[left : left + LANES]
        for lane in range(LANES):
            more = np.float64(part[lane]) - np.float64(held[lane])
            lanes[lane] += more if more > 0 else 0.0
    gain = 0.0
    for lane in range(LANES):
        gain += lanes[lane]
    for j in range(whole, row.size):
        gain += max(np.float64(row[j]) - np.float64(cover[j]), 0.0)
    return gain


@dataclass(frozen=True, eq=False)
class _Greedy:
    """A greedy choice, its gains, how it covers each target, and what as many more points could add at most."""

    chosen: IntArray
    gains: FloatArray
    cover: Float32Array
    left: float


def _lazy_greedy(rows: Rows, k: int, kept: list[int], progress: Progress | None) -> _Greedy:
    """Choose greedily beyond ``kept``.

    The heap holds the last known gain of each point with its number, so that the lowest index comes first
    among equals; a gain is fresh if it was computed after the last choice.
    """
    bounds = rows.sums() * INFLATION
    out = set(kept)
    heap = [(-bound, point) for point, bound in enumerate(bounds.tolist()) if point not in out]
    heapq.heapify(heap)
    fresh = np.full(len(bounds), -1)
    cover = np.zeros_like(rows.get([0])[0])
    chosen: list[int] = []
    gains: list[float] = []
    for point in kept:
        (row,) = rows.get([point])
        chosen.append(point)
        gains.append(_gain(row, cover))
        np.maximum(cover, row, out=cover)
    while len(chosen) < k:
        stale: list[int] = []
        while heap and fresh[heap[0][1]] < len(chosen) and len(stale) < rows.batch:
            stale.append(heapq.heappop(heap)[1])
        if not stale:
            gain, point = heapq.heappop(heap)
            chosen.append(point)
            gains.append(-gain)
            np.maximum(cover, rows.get([point])[0], out=cover)
            if progress is not None:
                progress(len(chosen) / k)
        for point, row in zip(stale, rows.get(stale), strict=True):
            fresh[point] = len(chosen)
            heapq.heappush(heap, (-_gain(row, cover), point))
    left = -sum(gain for gain, _ in heapq.nsmallest(k - len(kept), heap))
    return _Greedy(_read_only(np.array(chosen, np.int64)), _read_only(np.array(gains)), cover, left)


def _estimate(similarity: Similarity, greedy: _Greedy, targets: IntArray) -> tuple[float | None, float | None]:
    """Return the sum over all points as the sampled ones that were not chosen tell it, and its standard error."""
    itself = float(similarity.block(greedy.chosen, greedy.chosen).max(axis=0).sum(dtype=np.float64))
    others = similarity.n - greedy.chosen.size
    seen = greedy.cover[~np.isin(targets, greedy.chosen)].astype(np.float64)
    if others == 0:
        return itself, 0.0
    if seen.size == 0:
        return None, None
    spread = others * seen.std(ddof=1) * np.sqrt((1 - seen.size / others) / seen.size) if seen.size > 1 else None
    return itself + others * float(seen.mean()), None if spread is None else float(spread)


def _value(similarity: Similarity, chosen: IntArray) -> float:
    """Return the sum over all points of the similarity to the nearest of ``chosen``."""
    cover = np.zeros(similarity.n, np.float32)
    for left in range(0, chosen.size, VALUE_ROWS):
        np.maximum(cover, similarity.block(chosen[left : left + VALUE_ROWS]).max(axis=0), out=cover)
    return float(cover.sum(dtype=np.float64))


def _read_only(array: AnyArray) -> AnyArray:
    array.flags.writeable = False
    return array
