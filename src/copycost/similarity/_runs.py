"""One run of a walk against a tile: byte counters for short runs, histograms for long ones.

The parts of the tile kernel that know how counts are kept; `_tile_kernel` says what they are for.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from copycost._types import AnyArray, ByteArray, FloatArray, IntArray
from copycost.similarity._lanes import (
    LANES,
    TALLIED,
    Lanes,
    Tally,
    above,
    add_equal,
    drop,
    load,
    load_tally,
    lowest_bit,
    nothing,
    ones,
    splat,
    store,
    store_tally,
    tally,
    zero_where_equal,
)

__all__ = [
    "BLANKS",
    "LONGEST",
    "VALUES",
    "Desk",
    "add_blanks",
    "add_large",
    "add_long_paper",
    "add_long_run",
    "add_tally",
    "copy_run",
    "desk",
    "lay_down",
    "settle",
    "tally_run",
]

LONGEST = 255
STEPS = 0
VALUES = TALLIED * LANES
BLANKS = 2 * TALLIED * LANES
_CROWD = 16


class Desk(NamedTuple):
    """Scratch memory for one pair of tiles; ``deep`` and ``counts`` are zero whenever they are not in use."""

    lanes: ByteArray
    rows: ByteArray
    deep: ByteArray
    counts: IntArray
    wide: IntArray


@numba.njit()
def desk(long_runs: bool) -> Desk:
    """Return an empty desk, with room for the histograms of long runs if there are any."""
    return Desk(
        np.empty(BLANKS + LANES, np.uint8),
        np.empty((LONGEST + 1) * LANES, np.uint8),
        np.zeros((LONGEST + 1 + 2 * TALLIED) * LANES, np.uint8),
        np.zeros((256 if long_runs else 1, LANES), np.int64),
        np.empty(LANES, np.int64),
    )


@numba.njit()
def add_tally(at: int, counts: ByteArray, weights: FloatArray, first: int, sums: FloatArray) -> None:
    """Add ``weights`` from ``first`` on times the tally stored at ``at``."""
    here = counts[at : at + TALLIED * LANES]
    for row in range(TALLIED):
        weight = weights[first + row]
        for lane in range(LANES):
            sums[lane] += weight * here[row * LANES + lane]


@numba.njit()
def add_blanks(at: int, counts: ByteArray, blank: IntArray) -> None:
    """Add the 64 byte counters stored at ``at`` to ``blank``."""
    here = counts[at : at + LANES]
    for lane in range(LANES):
        blank[lane] += here[lane]


@numba.njit()
def settle(deepest: int, f: FloatArray, d: FloatArray, desk: Desk, sums: FloatArray, blank: IntArray) -> None:
    """Add what the byte counters laid down to the lanes' sums of f and to their counts of paper under ink."""
    add_tally(STEPS, desk.lanes, d, 1, sums)
    add_tally(VALUES, desk.lanes, f, 1, sums)
    add_blanks(BLANKS, desk.lanes, blank)
    for block in range(1, deepest + 1):
        add_tally(block * TALLIED * LANES, desk.deep, d, block * TALLIED + 1, sums)
        store_tally(desk.deep, block * TALLIED * LANES, nothing())


@numba.njit(forceinline=True)
def lay_down(steps: Tally, values: Tally, blanks: Lanes, desk: Desk) -> None:
    """Store the byte counters where `settle` finds them."""
    store_tally(desk.lanes, STEPS, steps)
    store_tally(desk.lanes, VALUES, values)
    store(desk.lanes, BLANKS, blanks)


@numba.njit(forceinline=True)
def add_large(counts: Lanes, f: FloatArray, desk: Desk, sums: FloatArray) -> None:
    """Add f of the counts that a tally leaves out."""
    bits = above(counts)
    if not bits:
        return
    store(desk.lanes, 0, counts)
    if ones(bits) > _CROWD:
        for lane in range(LANES):
            if desk.lanes[lane] > TALLIED:
                sums[lane] += f[desk.lanes[lane]]
        return
    while bits:
        lane = lowest_bit(bits)
        sums[lane] += f[desk.lanes[lane]]
        bits &= bits - np.uint64(1)


@numba.njit()
def _tally_deep(r0: Lanes, r1: Lanes, r2: Lanes, r3: Lanes, desk: Desk) -> int:
    """Tally what lies above TALLIED in memory, block by block, and return the number of blocks."""
    block = 0
    while block == 0 or above(r0) | above(r1) | above(r2) | above(r3):
        r0, r1, r2, r3 = drop(r0), drop(r1), drop(r2), drop(r3)
        block += 1
        at = block * TALLIED * LANES
        counts = load_tally(desk.deep, at)
        counts = tally(tally(tally(tally(counts, r0, 8), r1, 8), r2, 8), r3, 8)
        store_tally(desk.deep, at, counts)
    return block


@numba.njit(forceinline=True)
def copy_run(tile: ByteArray, walk: AnyArray, paper: Lanes, desk: Desk) -> Lanes:
    """Copy a run's rows side by side, with paper up to a multiple of four; return the counts of paper."""
    blanks = splat(np.uint8(0))
    for t in range(len(walk)):
        x = load(tile, np.intp(walk[t]) * LANES)
        store(desk.rows, t * LANES, x)
        blanks = add_equal(blanks, x, paper)
    for t in range(len(walk), (len(walk) + 3) & ~3):
        store(desk.rows, t * LANES, paper)
    return blanks


@numba.njit(forceinline=True)
def tally_run(length: int, paper: Lanes, steps: Tally, desk: Desk) -> tuple[Tally, int]:
    """Tally how often each byte of the copied rows appeared before in its lane; return tally and depth."""
    zero = splat(np.uint8(0))
    deepest = 0
    for t in range(0, length, 4):
        x0, x1 = load(desk.rows, t * LANES), load(desk.rows, (t + 1) * LANES)
        x2, x3 = load(desk.rows, (t + 2) * LANES), load(desk.rows, (t + 3) * LANES)
        r0, r1 = zero, add_equal(zero, x0, x1)
        r2 = add_equal(add_equal(zero, x0, x2), x1, x2)
        r3 = add_equal(add_equal(add_equal(zero, x0, x3), x1, x3), x2, x3)
        for q in range(t):
            y = load(desk.rows, q * LANES)
            r0, r1 = add_equal(r0, y, x0), add_equal(r1, y, x1)
            r2, r3 = add_equal(r2, y, x2), add_equal(r3, y, x3)
        r1, r2 = zero_where_equal(r1, x1, paper), zero_where_equal(r2, x2, paper)
        r3 = zero_where_equal(r3, x3, paper)
        if t == 0:
            steps = tally(steps, r1, 1)
            if length > 2:
                steps = tally(tally(steps, r2, 2), r3, 3)
            continue
        r0 = zero_where_equal(r0, x0, paper)
        steps = tally(tally(tally(tally(steps, r0, 8), r1, 8), r2, 8), r3, 8)
        if above(r0) | above(r1) | above(r2) | above(r3):
            deepest = max(deepest, _tally_deep(r0, r1, r2, r3, desk))
    return steps, deepest


@numba.njit()
def add_long_run(
    tile: ByteArray,
    walk: AnyArray,
    background: int,
    f: FloatArray,
    desk: Desk,
    sums: FloatArray,
    blank: IntArray,
) -> None:
    """Do for a run of any length, with a histogram a lane, what the byte counters do for a short one."""
    for q in walk:
        row = tile[np.intp(q) * LANES : (np.intp(q) + 1) * LANES]
        for lane in range(LANES):
            desk.counts[row[lane], lane] += 1
    for lane in range(LANES):
        blank[lane] += desk.counts[background, lane]
    for q in walk:
        row = tile[np.intp(q) * LANES : (np.intp(q) + 1) * LANES]
        for lane in range(LANES):
            sums[lane] += f[desk.counts[row[lane], lane]]
            desk.counts[row[lane], lane] = 0


@numba.njit()
def add_long_paper(
    tile: ByteArray, walk: AnyArray, background: int, f: FloatArray, desk: Desk, sums: FloatArray
) -> None:
    """Add, for a run of any length, f of how often each lane shows paper in it."""
    desk.wide[:] = 0
    for q in walk:
        row = tile[np.intp(q) * LANES : (np.intp(q) + 1) * LANES]
        for lane in range(LANES):
            desk.wide[lane] += row[lane] == background
    for lane in range(LANES):
        sums[lane] += f[desk.wide[lane]]
