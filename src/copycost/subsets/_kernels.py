"""Passes over one row of a similarity, and the steps of Algorithms 2 and 3 that are made of them.

A walk from one start keeps three things. ``total[j]`` is the sum of similarities between point ``j`` and
the chosen points (the paper's sumI and Out), and infinity for a chosen point, which takes it out of every
minimum. ``members[:k]`` are the chosen points, ``inside[:k]`` their sums in the subset (the paper's In).

Sums are float64 over float32 rows: float32 values of like magnitude add up without rounding there, so that
true ties stay ties and the lowest index wins them whatever the order of the additions. The minimum is
searched in blocks by `LANES` side-by-side minima because LLVM turns that form, unlike a running minimum, into
vector code.
"""

from typing import Any

import numpy as np
from numba import njit, prange

from copycost._types import AnyArray

LANES = 64
BLOCK = 512
ROUNDING = 1e-13


@njit(cache=True)
def _first_equal(values: AnyArray, begin: int, end: int, wanted: float) -> int:
    for j in range(begin, end):
        if values[j] == wanted:
            return j
    return -1


@njit(cache=True)
def lowest(lanes: AnyArray) -> Any:
    """Return the minimum of `LANES` lanes, by halves; the lanes are spent."""
    for lane in range(LANES // 2):
        lanes[lane] = min(lanes[lane], lanes[lane + LANES // 2])
    for lane in range(LANES // 4):
        lanes[lane] = min(lanes[lane], lanes[lane + LANES // 4])
    for lane in range(LANES // 8):
        lanes[lane] = min(lanes[lane], lanes[lane + LANES // 8])
    best = lanes[0]
    for lane in range(1, LANES // 8):
        best = min(best, lanes[lane])
    return best


@njit(cache=True)
def add_row(total: AnyArray, row: AnyArray) -> int:
    """Add ``row`` float32 (n,) to ``total`` float64 (n,) and return the first index of the new minimum."""
    n = total.size
    lanes = np.empty(LANES)
    best, where = np.inf, 0
    for begin in range(0, n, BLOCK):
        end = min(begin + BLOCK, n)
        lanes[:] = np.inf
        whole = end - (end - begin) % LANES
        for left in range(begin, whole, LANES):
            part, other = total[left : left + LANES], row[left : left + LANES]
            for lane in range(LANES):
                value = part[lane] + np.float64(other[lane])
                part[lane] = value
                lanes[lane] = value if value < lanes[lane] else lanes[lane]
        for j in range(whole, end):
            total[j] += np.float64(row[j])
            lanes[0] = min(lanes[0], total[j])
        least = lowest(lanes)
        if least < best:
            best, where = least, begin
    return _first_equal(total, where, min(where + BLOCK, n), best)


@njit(cache=True)
def raise_row(highest: AnyArray, row: AnyArray) -> int:
    """Raise ``highest`` float32 (n,) to ``row`` where larger; return the first index of the minimum."""
    n = highest.size
    lanes = np.full(LANES, np.inf, np.float32)
    best, where = lanes[0], 0
    for begin in range(0, n, BLOCK):
        end = min(begin + BLOCK, n)
        lanes[:] = np.inf
        whole = end - (end - begin) % LANES
        for left in range(begin, whole, LANES):
            part, other = highest[left : left + LANES], row[left : left + LANES]
            for lane in range(LANES):
                value = other[lane] if other[lane] > part[lane] else part[lane]
                part[lane] = value
                lanes[lane] = value if value < lanes[lane] else lanes[lane]
        for j in range(whole, end):
            highest[j] = max(highest[j], row[j])
            lanes[0] = min(lanes[0], highest[j])
        least = lowest(lanes)
        if least < best:
            best, where = least, begin
    return _first_equal(highest, where, min(where + BLOCK, n), best)


@njit(cache=True)
def least_difference(total: AnyArray, row: AnyArray) -> int:
    """Return the first index of the minimum of ``total - row``: who may enter when ``row``'s point leaves."""
    n = total.size
    lanes = np.empty(LANES)
    best, where = np.inf, 0
    for begin in range(0, n, BLOCK):
        end = min(begin + BLOCK, n)
        lanes[:] = np.inf
        whole = end - (end - begin) % LANES
        for left in range(begin, whole, LANES):
            part, other = total[left : left + LANES], row[left : left + LANES]
            for lane in range(LANES):
                value = part[lane] - np.float64(other[lane])
                lanes[lane] = value if value < lanes[lane] else lanes[lane]
        for j in range(whole, end):
            lanes[0] = min(lanes[0], total[j] - np.float64(row[j]))
        least = lowest(lanes)
        if least < best:
            best, where = least, begin
    for j in range(where, min(where + BLOCK, n)):
        if total[j] - np.float64(row[j]) == best:
            return j
    return -1


@njit(cache=True)
def exchange_rows(total: AnyArray, entering: AnyArray, leaving: AnyArray) -> None:
    """Add the row of the point that enters to ``total`` and take away the row of the point that leaves."""
    for j in range(total.size):
        total[j] += np.float64(entering[j]) - np.float64(leaving[j])


@njit(cache=True)
def enter(members: AnyArray, inside: AnyArray, count: int, point: int, row: AnyArray) -> None:
    """Append ``point`` to the first ``count`` members and keep their sums within the subset."""
    own = 0.0
    for i in range(count):
        weight = np.float64(row[members[i]])
        inside[i] += weight
        own += weight
    members[count] = point
    inside[count] = own


@njit(cache=True)
def heaviest(members: AnyArray, inside: AnyArray) -> int:
    """Return the position of the member with the largest sum inside, the lowest point among equals."""
    best = 0
    for i in range(1, members.size):
        heavier = inside[i] > inside[best]
        if heavier or (inside[i] == inside[best] and members[i] < members[best]):
            best = i
    return best


@njit(cache=True)
def exchange(
    total: AnyArray,
    members: AnyArray,
    inside: AnyArray,
    position: int,
    entering: AnyArray,
    leaving: AnyArray,
    q: int,
) -> bool:
    """Replace the member at ``position`` by ``q`` if that lowers the weight (Algorithm 3, lines 9 to 16).

    A gain below the rounding of its own sum is no gain: without this a tie could swap for ever.
    """
    p = members[position]
    outside, gain, size = 0.0, 0.0, 0.0
    for i in range(members.size):
        if i != position:
            weight = np.float64(entering[members[i]])
            less = np.float64(leaving[members[i]]) - weight
            outside += weight
            gain += less
            size += abs(less)
    if gain <= ROUNDING * size:
        return False
    for i in range(members.size):
        if i != position:
            inside[i] += np.float64(entering[members[i]]) - np.float64(leaving[members[i]])
    exchange_rows(total, entering, leaving)
    total[p] = inside[position] + np.float64(leaving[q])
    total[q] = np.inf
    members[position] = q
    inside[position] = outside
    return True


@njit(cache=True)
def _greedy(matrix: AnyArray, start: int, by_max: bool, total: AnyArray, members: AnyArray, inside: AnyArray) -> None:
    """Algorithm 2 from ``start``; leaves ``total``, ``members`` and ``inside`` ready for `_replace`."""
    highest = np.full(total.size if by_max else 0, -np.inf, np.float32)
    point = start
    for count in range(members.size):
        row = matrix[point]
        enter(members, inside, count, point, row)
        total[point] = np.inf
        following = add_row(total, row)
        if by_max:
            highest[point] = np.inf
            following = raise_row(highest, row)
        point = following


@njit(cache=True)
def _replace(matrix: AnyArray, total: AnyArray, members: AnyArray, inside: AnyArray) -> int:
    """Algorithm 3; returns the number of exchanges."""
    swaps = 0
    while True:
        position = heaviest(members, inside)
        leaving = matrix[members[position]]
        q = least_difference(total, leaving)
        if total[q] == np.inf:
            return swaps
        if not exchange(total, members, inside, position, matrix[q], leaving, q):
            return swaps
        swaps += 1


@njit(cache=True, parallel=True)
def walk_dense(matrix: AnyArray, starts: AnyArray, k: int, by_max: bool, replace: bool) -> Any:
    """Run Algorithm 2, and Algorithm 3 where ``replace``, from every start over a float32 matrix (n, n).

    Returns
    -------
    members : int64 (starts, k)
    weights : float64 (starts,)
    swaps : int64 (starts,)
    """
    n, count = matrix.shape[0], starts.size
    members = np.empty((count, k), np.int64)
    weights = np.empty(count)
    swaps = np.zeros(count, np.int64)
    for s in prange(count):
        total = np.zeros(n)
        inside = np.zeros(k)
        _greedy(matrix, starts[s], by_max, total, members[s], inside)
        if replace:
            swaps[s] = _replace(matrix, total, members[s], inside)
        weights[s] = inside.sum() / 2
    return members, weights, swaps
