"""The tile kernel: the joint counts of 64 x 64 pairs of images, 64 pairs at a time.

Layout. Images lie in tiles of 64, pixel-major: the 64 bytes at pixel q of a tile are that pixel in its 64 images,
one byte lane an image. Each image also has a walk: its pixels sorted by level, so that equal levels form runs.

Sum. Mutual information needs only the sum of f(c) = c log c over the joint counts c of levels i of u and j of v.
One image u is walked against a whole tile of v. A run of u holds the pixels of one level i, and as the run goes
on, a lane whose level has appeared r times before in this run adds f(r + 1) - f(r). Comparing the row of 64 bytes
with the rows before it in the run gives r in all 64 lanes. A run of one pixel adds nothing, as f(1) = 0.

Background. Most pixels of many images have one level, the paper; it is chosen for a set of images, and the walks
leave it out, so that all loops run over ink. Its cells are counted from the other side:

- (i, paper): in each run of u count the lanes that show paper, and add f of the count at the run's end;
- (paper, j): the same with the walks of v over the tile of u;
- (paper, paper): the paper of v less that under the ink of u.

Adding up. Nothing is looked up lane by lane as a rule. A tally counts in bytes how often each lane met each r from
1 to 8, in eight vectors, and the lanes' sums take it in at once when a byte could overflow, after 255 pixels. Larger
r go on to deeper tallies in memory. A run of more than 255 pixels, as in binary or constant images, is counted in a
plain histogram a lane, with wide counters.

Exactness. All values of f are multiples of one power of two (see `_table`), so that no sum ever rounds: the result
does not depend on the tiles, the threads, the background or which of two images is walked.

After a change in `_lanes`, touch this file: Numba's cache compares the date of the kernel's own file alone.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from copycost._types import AnyArray, ByteArray, Float32Array, FloatArray, IntArray
from copycost.similarity._lanes import (
    LANES,
    TALLIED,
    above,
    add,
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
from copycost.similarity._tiles import Tiled

__all__ = ["LONGEST", "tile_pairs"]

LONGEST = 255
_FEW = 4
_CROWD = 16
_STEPS = 0
_VALUES = TALLIED * LANES
_BLANKS = 2 * TALLIED * LANES
_helper = numba.njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
_inlined = numba.njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, forceinline=True)


class _Desk(NamedTuple):
    """Scratch memory of one thread: all of it uint8 but the wide counters; ``deep`` and ``counts`` rest at zero."""

    lanes: ByteArray
    rows: ByteArray
    deep: ByteArray
    counts: IntArray
    wide: IntArray


@_helper
def _add_tally(at, counts, weights, first, sums):
    """Add ``weights`` from ``first`` on times the tally stored at ``at``."""
    here = counts[at : at + TALLIED * LANES]
    for row in range(TALLIED):
        weight = weights[first + row]
        for lane in range(LANES):
            sums[lane] += weight * here[row * LANES + lane]


@_helper
def _add_blanks(at, counts, blank):
    here = counts[at : at + LANES]
    for lane in range(LANES):
        blank[lane] += here[lane]


@_helper
def _settle(deepest, f, d, desk, sums, blank):
    """Add what the byte counters laid down to the lanes' sums of f and to their counts of paper under ink."""
    _add_tally(_STEPS, desk.lanes, d, 1, sums)
    _add_tally(_VALUES, desk.lanes, f, 1, sums)
    _add_blanks(_BLANKS, desk.lanes, blank)
    for block in range(1, deepest + 1):
        _add_tally(block * TALLIED * LANES, desk.deep, d, block * TALLIED + 1, sums)
        store_tally(desk.deep, block * TALLIED * LANES, nothing())


@_inlined
def _lay_down(steps, values, blanks, desk):
    store_tally(desk.lanes, _STEPS, steps)
    store_tally(desk.lanes, _VALUES, values)
    store(desk.lanes, _BLANKS, blanks)


@_inlined
def _add_large(counts, f, desk, sums):
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


@_helper
def _tally_deep(r0, r1, r2, r3, desk):
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


@_inlined
def _copy_run(tile, walk, paper, desk):
    """Copy the rows of a run side by side, filled up with paper to a multiple of four; return the counts of paper."""
    blanks = splat(np.uint8(0))
    for t in range(len(walk)):
        x = load(tile, np.intp(walk[t]) * LANES)
        store(desk.rows, t * LANES, x)
        blanks = add_equal(blanks, x, paper)
    for t in range(len(walk), (len(walk) + 3) & ~3):
        store(desk.rows, t * LANES, paper)
    return blanks


@_inlined
def _tally_run(length, paper, steps, desk):
    """Tally how often each byte of the copied rows appeared before in its lane; return the tally and its depth."""
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


@_helper
def _add_long_run(tile, walk, background, f, desk, sums, blank):
    """Do for a run of any length, with a histogram a lane, what the byte counters do for a short one."""
    for q in walk:
        for lane in range(LANES):
            desk.counts[tile[np.intp(q) * LANES + lane], lane] += 1
    for lane in range(LANES):
        blank[lane] += desk.counts[background, lane]
    for q in walk:
        for lane in range(LANES):
            value = tile[np.intp(q) * LANES + lane]
            sums[lane] += f[desk.counts[value, lane]]
            desk.counts[value, lane] = 0


@_helper
def _add_ink(tile, walk, runs, background, f, d, desk, sums, blank):
    """Add the cells (i, j) and (i, paper) of one walked image, and count the paper of the tile under its ink."""
    paper, zero = splat(background), splat(np.uint8(0))
    steps, values, blanks = nothing(), nothing(), zero
    at = used = deepest = 0
    for run in runs:
        length = np.intp(run)
        here = walk[at : at + length]
        at += length
        if length > LONGEST:
            _add_long_run(tile, here, background, f, desk, sums, blank)
            continue
        if used + length > LONGEST:
            _lay_down(steps, values, blanks, desk)
            _settle(deepest, f, d, desk, sums, blank)
            steps, values, blanks = nothing(), nothing(), zero
            used = deepest = 0
        used += length
        count = _copy_run(tile, here, paper, desk)
        steps, depth = _tally_run(length, paper, steps, desk)
        deepest = max(deepest, depth)
        values = tally(values, count, 8)
        _add_large(count, f, desk, sums)
        blanks = add(blanks, count)
    _lay_down(steps, values, blanks, desk)
    _settle(deepest, f, d, desk, sums, blank)
    for start in range(at, len(walk), LONGEST):
        blanks = zero
        for q in walk[start : start + LONGEST]:
            blanks = add_equal(blanks, load(tile, np.intp(q) * LANES), paper)
        store(desk.lanes, _BLANKS, blanks)
        _add_blanks(_BLANKS, desk.lanes, blank)


@_helper
def _add_paper(tile, walk, runs, background, f, desk, sums):
    """Add the cells (paper, j) of the 64 images of a tile, j the levels of the walked image."""
    paper, zero = splat(background), splat(np.uint8(0))
    values = nothing()
    at = used = 0
    for run in runs:
        length = np.intp(run)
        here = walk[at : at + length]
        at += length
        if length > LONGEST:
            _add_long_paper(tile, here, background, f, desk, sums)
            continue
        if used == LONGEST:
            store_tally(desk.lanes, _VALUES, values)
            _add_tally(_VALUES, desk.lanes, f, 1, sums)
            values = nothing()
            used = 0
        used += 1
        count = zero
        for q in here:
            count = add_equal(count, load(tile, np.intp(q) * LANES), paper)
        values = tally(values, count, 8)
        _add_large(count, f, desk, sums)
    store_tally(desk.lanes, _VALUES, values)
    _add_tally(_VALUES, desk.lanes, f, 1, sums)


@_helper
def _add_long_paper(tile, walk, background, f, desk, sums):
    desk.wide[:] = 0
    for q in walk:
        for lane in range(LANES):
            desk.wide[lane] += tile[np.intp(q) * LANES + lane] == background
    for lane in range(LANES):
        sums[lane] += f[desk.wide[lane]]


@_helper
def _add_paper_of_few(tile, few, b, left, columns, background, f, sums):
    """Do what `_add_paper` does for a tile of few images, one by one, so that no lanes run empty."""
    pixels = len(tile) // LANES
    blank = np.empty(pixels, np.int32)
    before = np.zeros(pixels + 1, np.int32)
    for lane in range(few):
        for q in range(pixels):
            blank[q] = tile[q * LANES + lane] == background
        for v in range(columns):
            walk = b.walk[b.walk_start[left + v] : b.walk_start[left + v + 1]]
            for t in range(len(walk)):
                before[t + 1] = before[t] + blank[walk[t]]
            at, total = 0, 0.0
            for run in b.runs[b.runs_start[left + v] : b.runs_start[left + v + 1]]:
                end = at + np.intp(run)
                total += f[before[end] - before[at]]
                at = end
            sums[v, lane] += total


@_helper
def _tile_pair(a, b, i, j, f, d, mirror, out):
    """Fill the part of ``out`` where tile i of ``a`` meets tile j of ``b``."""
    top, left = i * LANES, j * LANES
    rows, columns = min(LANES, len(a.marginal) - top), min(LANES, len(b.marginal) - left)
    tile_a = a.bytes[top * a.pixels : (top + LANES) * a.pixels]
    tile_b = b.bytes[left * b.pixels : (left + LANES) * b.pixels]
    background = np.uint8(b.background)
    levels = 256 if max(a.longest, b.longest) > LONGEST else 1
    desk = _Desk(
        np.empty(_BLANKS + LANES, np.uint8),
        np.empty((LONGEST + 1) * LANES, np.uint8),
        np.zeros((LONGEST + 1 + 2 * TALLIED) * LANES, np.uint8),
        np.zeros((levels, LANES), np.int64),
        np.empty(LANES, np.int64),
    )
    ink, paper = np.zeros((rows, LANES)), np.zeros((columns, LANES))
    blank = np.zeros((rows, LANES), np.int64)
    for u in range(rows):
        walk = a.walk[a.walk_start[top + u] : a.walk_start[top + u + 1]]
        runs = a.runs[a.runs_start[top + u] : a.runs_start[top + u + 1]]
        _add_ink(tile_b, walk, runs, background, f, d, desk, ink[u], blank[u])
    if rows <= _FEW:
        _add_paper_of_few(tile_a, rows, b, left, columns, background, f, paper)
    else:
        for v in range(columns):
            walk = b.walk[b.walk_start[left + v] : b.walk_start[left + v + 1]]
            runs = b.runs[b.runs_start[left + v] : b.runs_start[left + v + 1]]
            _add_paper(tile_a, walk, runs, background, f, desk, paper[v])
    for u in range(rows):
        for v in range(columns):
            joint = ink[u, v] + paper[v, u] + f[b.paper[left + v] - blank[u, v]]
            total = f[a.pixels] + joint - a.marginal[top + u] - b.marginal[left + v]
            value = max(0.0, total) / a.pixels
            out[top + u, left + v] = value
            if mirror:
                out[left + v, top + u] = value


@numba.njit(parallel=True, cache=True)
def tile_pairs(
    a: Tiled,
    b: Tiled,
    first: IntArray,
    second: IntArray,
    f: FloatArray,
    d: FloatArray,
    mirror: bool,
    out: Float32Array,
) -> None:
    """Fill ``out`` (m, n) where tiles ``first`` of ``a`` meet tiles ``second`` of ``b``.

    Parameters
    ----------
    a, b : Tiled
        m and n images of as many pixels, laid out with the same background.
    first, second : int64 (k,)
        The tiles to pair; tile t holds the images 64 t to 64 t + 63.
    f, d : float64
        `count_log_count` and its differences, filled up with zeros to more entries than a byte has values.
    mirror : bool
        Whether to write each value across the diagonal of a square ``out`` as well.
    """
    for k in numba.prange(len(first)):
        _tile_pair(a, b, first[k], second[k], f, d, mirror, out)
