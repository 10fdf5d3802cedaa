"""The tile kernel: the joint counts of 64 x 64 pairs of images, 64 pairs at a time.

Layout. Images lie in tiles of 64, pixel-major: the 64 bytes at pixel q of a tile are that pixel in its 64
images, one byte lane an image. Each image also has a walk: its pixels in order of level, so that equal
levels form runs.

Sum. Mutual information needs only the sum of f(c) = c log c over the joint counts c of levels i of u and j
of v. One image u is walked against a whole tile of v. A run of u holds the pixels of one level i. As it
goes on, a lane whose level has appeared r times before in the run adds f(r + 1) - f(r); comparing the row
of 64 bytes with the earlier rows of the run gives r in all 64 lanes. A run of one pixel adds nothing, as
f(1) = 0.

Background. In many images most pixels have one level, the paper. It is chosen for a set of images, and
walks leave it out, so that all loops run over ink. Its cells are counted from both sides:

- (i, paper): in each run of u count the lanes that show paper, and add f of the count at the run's end;
- (paper, j): the same with the walks of v over the tile of u;
- (paper, paper): the paper of v less that under the ink of u.

Adding up. As a rule nothing is looked up lane by lane. A tally counts in bytes, in eight vectors, how often
each lane met each r from 1 to 8. The lanes' sums take it in before a byte can overflow, after at most 255
pixels. Larger r go to deeper tallies in memory. A run of more than 255 pixels, as in binary or constant
images, is counted in a plain histogram a lane, with wide counters.

Exactness. All values of f are multiples of one power of two (see `_table`), so that no sum ever rounds: the
result does not depend on the tiles, the threads, the background, or which of two images is walked.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from copycost._types import AnyArray, ByteArray, Float32Array, FloatArray, IntArray
from copycost.similarity._lanes import (
    LANES,
    add,
    add_equal,
    load,
    nothing,
    splat,
    store,
    store_tally,
    tally,
)
from copycost.similarity._runs import (
    BLANKS,
    LONGEST,
    VALUES,
    Desk,
    add_blanks,
    add_large,
    add_long_paper,
    add_long_run,
    add_tally,
    copy_run,
    desk,
    lay_down,
    settle,
    tally_run,
)
from copycost.similarity._tiles import Tiled

__all__ = ["tile_pairs"]

_FEW = 7


@numba.njit()
def _add_ink(
    tile: ByteArray,
    walk: AnyArray,
    runs: AnyArray,
    background: int,
    f: FloatArray,
    d: FloatArray,
    desk: Desk,
    sums: FloatArray,
    blank: IntArray,
) -> None:
    """Add the cells (i, j) and (i, paper) of one walked image, and count the tile's paper under its ink."""
    paper, zero = splat(background), splat(np.uint8(0))
    steps, values, blanks = nothing(), nothing(), zero
    at = used = deepest = 0
    for run in runs:
        length: Any = np.intp(run)
        here = walk[at : at + length]
        at += length
        if length > LONGEST:
            add_long_run(tile, here, background, f, desk, sums, blank)
            continue
        if used + length > LONGEST:
            lay_down(steps, values, blanks, desk)
            settle(deepest, f, d, desk, sums, blank)
            steps, values, blanks = nothing(), nothing(), zero
            used = deepest = 0
        used += length
        count = copy_run(tile, here, paper, desk)
        steps, depth = tally_run(length, paper, steps, desk)
        deepest = max(deepest, depth)
        values = tally(values, count, 8)
        add_large(count, f, desk, sums)
        blanks = add(blanks, count)
    lay_down(steps, values, blanks, desk)
    settle(deepest, f, d, desk, sums, blank)
    for start in range(at, len(walk), LONGEST):
        blanks = zero
        for q in walk[start : start + LONGEST]:
            blanks = add_equal(blanks, load(tile, np.intp(q) * LANES), paper)
        store(desk.lanes, BLANKS, blanks)
        add_blanks(BLANKS, desk.lanes, blank)


@numba.njit()
def _add_paper(
    tile: ByteArray,
    walk: AnyArray,
    runs: AnyArray,
    background: int,
    f: FloatArray,
    desk: Desk,
    sums: FloatArray,
) -> None:
    """Add the cells (paper, j) of the 64 images of a tile, j the levels of the walked image."""
    paper, zero = splat(background), splat(np.uint8(0))
    values = nothing()  # no byte of it can overflow: there are at most 255 runs
    at = 0
    for run in runs:
        length: Any = np.intp(run)
        here = walk[at : at + length]
        at += length
        if length > LONGEST:
            add_long_paper(tile, here, background, f, desk, sums)
            continue
        count = zero
        for q in here:
            count = add_equal(count, load(tile, np.intp(q) * LANES), paper)
        values = tally(values, count, 8)
        add_large(count, f, desk, sums)
    store_tally(desk.lanes, VALUES, values)
    add_tally(VALUES, desk.lanes, f, 1, sums)


@numba.njit()
def _add_paper_of_few(
    tile: ByteArray,
    few: int,
    b: Tiled,
    left: int,
    columns: int,
    background: int,
    f: FloatArray,
    sums: FloatArray,
) -> None:
    """Do what `_add_paper` does for a tile of few images, one by one, so that no lanes run empty."""
    pixels = len(tile) // LANES
    blank = np.empty(pixels, np.int32)
    before = np.zeros(pixels + 1, np.int32)
    for lane in range(few):
        for q in range(pixels):
            blank[q] = tile[q * LANES + lane] == background
        for v in range(columns):
            walk = b.walk[b.walk_start[left + v] : b.walk_start[left + v + 1]]
            runs = b.runs[b.runs_start[left + v] : b.runs_start[left + v + 1]]
            # Counts up to each pixel first: loops over single runs would be too short to predict.
            for t in range(len(walk)):
                before[t + 1] = before[t] + blank[walk[t]]
            at, total = 0, 0.0
            for run in runs:
                end: Any = at + np.intp(run)
                total += f[before[end] - before[at]]
                at = end
            sums[v, lane] += total


@numba.njit()
def _tile_pair(
    a: Tiled,
    b: Tiled,
    i: int,
    j: int,
    f: FloatArray,
    d: FloatArray,
    mirror: bool,
    out: Float32Array,
) -> None:
    """Fill the part of ``out`` where tile i of ``a`` meets tile j of ``b``."""
    top, left = i * LANES, j * LANES
    rows, columns = min(LANES, len(a.marginal) - top), min(LANES, len(b.marginal) - left)
    tile_a = a.bytes[top * a.pixels : (top + LANES) * a.pixels]
    tile_b = b.bytes[left * b.pixels : (left + LANES) * b.pixels]
    background: Any = np.uint8(b.background)
    bench = desk(max(a.longest, b.longest) > LONGEST)
    ink, paper = np.zeros((rows, LANES)), np.zeros((columns, LANES))
    blank = np.zeros((rows, LANES), np.int64)
    for u in range(rows):
        walk = a.walk[a.walk_start[top + u] : a.walk_start[top + u + 1]]
        runs = a.runs[a.runs_start[top + u] : a.runs_start[top + u + 1]]
        _add_ink(tile_b, walk, runs, background, f, d, bench, ink[u], blank[u])
    if rows <= _FEW:
        _add_paper_of_few(tile_a, rows, b, left, columns, background, f, paper)
    else:
        for v in range(columns):
            walk = b.walk[b.walk_start[left + v] : b.walk_start[left + v + 1]]
            runs = b.runs[b.runs_start[left + v] : b.runs_start[left + v + 1]]
            _add_paper(tile_a, walk, runs, background, f, bench, paper[v])
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
