"""Tabu search for the lightest k-subset, and the crossing of two subsets.

The lightest k-subset is the maximum diversity problem with the sign turned. A move exchanges a chosen point
for another, the best of all exchanges that are not tabu. With ``total[j]``, the sum of similarities between
``j`` and the chosen points, an exchange of ``u`` for ``v`` changes the weight by
``total[v] - total[u] - s[u, v]``, and ``total`` follows a move in one pass over two rows (Aringhieri and
Cordone 2011; Wu and Hao 2013).
"""

from typing import Any

import numpy as np
from numba import njit

from copycost._types import AnyArray
from copycost.subsets._kernels import LANES, least_difference, lowest

# In moves: a point that left stays out for 15 to 24, one that entered stays for 0.6 of that.
TENURE, SPREAD, STAY = 15, 10, 0.6
NEVER = np.iinfo(np.int64).max


@njit(cache=True)
def largest_of_rows(matrix: AnyArray) -> Any:
    """Return the largest value of each row off the diagonal, float32 (n,); minus infinity for one point."""
    n = matrix.shape[0]
    largest = np.full(n, -np.inf, np.float32)
    for i in range(n):
        for j in range(n):
            if j != i and matrix[i, j] > largest[i]:
                largest[i] = matrix[i, j]
    return largest


@njit(cache=True)
def sums_to(matrix: AnyArray, members: AnyArray, total: AnyArray) -> float:
    """Fill ``total`` float64 (n,) with the sums to ``members``, the diagonal left out; return the weight."""
    total[:] = 0.0
    for u in members:
        row = matrix[u]
        own = total[u]
        for j in range(total.size):
            total[j] += np.float64(row[j])
        total[u] = own
    weight = 0.0
    for u in members:
        weight += total[u]
    return weight / 2


@njit(cache=True)
def _least_value(values: AnyArray, row: AnyArray) -> Any:
    """Return the minimum of ``values - row``."""
    n = values.size
    lanes = np.full(LANES, np.inf)
    whole = n - n % LANES
    for left in range(0, whole, LANES):
        part, other = values[left : left + LANES], row[left : left + LANES]
        for lane in range(LANES):
            value = part[lane] - np.float64(other[lane])
            lanes[lane] = value if value < lanes[lane] else lanes[lane]
    for j in range(whole, n):
        lanes[0] = min(lanes[0], values[j] - np.float64(row[j]))
    return lowest(lanes)


@njit(cache=True)
def release(total: AnyArray, free: AnyArray, stays_out: AnyArray, now: int) -> None:
    """Set ``free`` to ``total``, and to infinity for points that may not enter at ``now``."""
    for j in range(total.size):
        free[j] = total[j] if stays_out[j] <= now else np.inf


@njit(cache=True)
def _best_exchange(
    matrix: AnyArray,
    largest: AnyArray,
    members: AnyArray,
    total: AnyArray,
    free: AnyArray,
    stays_in: AnyArray,
    now: int,
) -> Any:
    """Return the position that leaves, the point that enters and the change; -1 if all is tabu.

    ``free`` is ``total``, with infinity for points that may not enter. A member whose best imaginable
    exchange is no better than one already found is passed over, which leaves the answer exact.
    """
    least = free.min()
    position, change = -1, np.inf
    for i in range(members.size):
        u = members[i]
        if stays_in[u] > now or least - np.float64(largest[u]) - total[u] >= change:
            continue
        found = _least_value(free, matrix[u]) - total[u]
        if found < change:
            position, change = i, found
    if position < 0:
        return -1, -1, np.inf
    return position, least_difference(free, matrix[members[position]]), change


@njit(cache=True)
def _move(
    total: AnyArray, free: AnyArray, stays_out: AnyArray, now: int, entering: AnyArray, leaving: AnyArray
) -> None:
    """Update the sums for one exchange, and which points are free to enter at ``now``."""
    for j in range(total.size):
        value = total[j] + (np.float64(entering[j]) - np.float64(leaving[j]))
        total[j] = value
        free[j] = value if stays_out[j] <= now else np.inf


@njit(cache=True)
def advance(
    matrix: AnyArray,
    largest: AnyArray,
    members: AnyArray,
    best: AnyArray,
    sums: AnyArray,
    until: AnyArray,
    counts: AnyArray,
    weights: AnyArray,
    patience: int,
    limit: int,
    rng: np.random.Generator,
) -> None:
    """Make at most ``limit`` moves, fewer if ``patience`` moves in a row brought nothing better.

    Parameters
    ----------
    members, best : int64 (k,)
        The subset of now, and the lightest met.
    sums : float64 (2, n)
        ``total`` and ``free`` as in `_best_exchange`.
    until : int64 (2, n)
        The move up to which a point may not enter (always, if chosen), and may not leave.
    counts : int64 (2,)
        Moves made, and moves since the last improvement.
    weights : float64 (2,)
        Of ``members`` and of ``best``.
    """
    (total, free), (stays_out, stays_in) = sums, until
    n, k = total.size, members.size
    for _ in range(limit):
        if counts[1] >= patience:
            return
        counts += 1
        now = counts[0]
        position, v, change = _best_exchange(matrix, largest, members, total, free, stays_in, now)
        if position < 0:
            release(total, free, stays_out, now)
            continue
        u = members[position]
        tenure = TENURE + rng.integers(0, SPREAD)
        stays_out[u] = now + min(tenure, (n - k) // 2)
        stays_in[v] = now + min(np.int64(STAY * tenure), (k - 1) // 2)
        stays_out[v] = NEVER
        left = total[u] + np.float64(matrix[u, v])
        entered = total[v] - np.float64(matrix[u, v])
        _move(total, free, stays_out, now, matrix[v], matrix[u])
        total[u], total[v] = left, entered
        free[u] = left if stays_out[u] <= now else np.inf
        members[position] = v
        weights[0] += change
        if weights[0] < weights[1] - 1e-12 * abs(weights[1]):
            weights[1] = weights[0]
            best[:] = members
            counts[1] = 0


@njit(cache=True)
def crossed(matrix: AnyArray, one: AnyArray, other: AnyArray, child: AnyArray) -> None:
    """Fill ``child`` with what two subsets share, then in turn with the lightest of the rest of either one.

    The backbone crossover of Wu and Hao (2013).
    """
    n, k = matrix.shape[0], child.size
    side = np.zeros(n, np.int8)
    for u in one:
        side[u] += 1
    for u in other:
        side[u] += 2
    total = np.zeros(n)
    count = 0
    for u in range(n):
        if side[u] == 3:
            child[count] = u
            count += 1
            for j in range(n):
                total[j] += np.float64(matrix[u, j])
    turn = 1
    while count < k:
        chosen = -1
        for u in range(n):
            if side[u] == turn and (chosen < 0 or total[u] < total[chosen]):
                chosen = u
        child[count] = chosen
        count += 1
        side[chosen] = 0
        for j in range(n):
            total[j] += np.float64(matrix[chosen, j])
        turn = 3 - turn
