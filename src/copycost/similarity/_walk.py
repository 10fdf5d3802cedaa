"""The tile kernel: one image against 64 at a time.

(explain)
"""

from __future__ import annotations

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


_LONGEST = 255
_FEW = 8


@numba.njit
def _flush(counts, weights, first, scratch, sums):
    store_tally(scratch, 0, counts)
    for row in range(TALLIED):
        weight = weights[first + row]
        for lane in range(LANES):
            sums[lane] += weight * scratch[row * LANES + lane]


@numba.njit
def _flush_deep(deep, deepest, d, scratch, sums):
    for block in range(1, deepest + 1):
        at = block * TALLIED * LANES
        _flush(load_tally(deep, at), d, block * TALLIED + 1, scratch, sums)
        store_tally(deep, at, nothing())


@numba.njit
def _flush_blanks(counts, scratch, blank):
    store(scratch, 0, counts)
    for lane in range(LANES):
        blank[lane] += scratch[lane]


@numba.njit
def _spill(bits, counts, table, scratch, sums):
    store(scratch, 0, counts)
    if ones(bits) > 16:
        for lane in range(LANES):
            if scratch[lane] > TALLIED:
                sums[lane] += table[scratch[lane]]
        return
    while bits:
        lane = lowest_bit(bits)
        sums[lane] += table[scratch[lane]]
        bits &= bits - np.uint64(1)


@numba.njit
def _deepen(r0, r1, r2, r3, deep, deepest):
    block = 0
    while above(r0) | above(r1) | above(r2) | above(r3):
        r0 = drop(r0)
        r1 = drop(r1)
        r2 = drop(r2)
        r3 = drop(r3)
        block += 1
        at = block * TALLIED * LANES
        counts = load_tally(deep, at)
        store_tally(deep, at, tally(tally(tally(tally(counts, r0, 8), r1, 8), r2, 8), r3, 8))
    return max(block, deepest)


@numba.njit
def _long(tiles, base, walk, start, stop, background, f, sums, blank, counts):
    for at in range(start, stop):
        row = base + np.int64(walk[at]) * LANES
        for lane in range(LANES):
            counts[tiles[row + lane], lane] += 1
    for at in range(start, stop):
        row = base + np.int64(walk[at]) * LANES
        for lane in range(LANES):
            value = tiles[row + lane]
            count = counts[value, lane]
            sums[lane] += f[count]
            if value == background:
                blank[lane] += count
            counts[value, lane] = 0


@numba.njit
def _long_blanks(tiles, base, walk, start, stop, background, f, sums, wide):
    wide[:] = 0
    for at in range(start, stop):
        row = base + np.int64(walk[at]) * LANES
        for lane in range(LANES):
            wide[lane] += tiles[row + lane] == background
    for lane in range(LANES):
        sums[lane] += f[wide[lane]]


@numba.njit
def _ink(tiles, base, walk, at, last, runs, run, run_end, background, f, d, scratch, deep, rows, sums, blank, counts):
    paper = splat(background)
    zero = splat(np.uint8(0))
    steps = nothing()
    values = nothing()
    blanks = zero
    used = 0
    deepest = 0
    for s in range(run, run_end):
        length = np.int64(runs[s])
        if length > _LONGEST:
            _long(tiles, base, walk, at, at + length, background, f, sums, blank, counts)
            at += length
            continue
        if used + length > _LONGEST:
            _flush(steps, d, 1, scratch, sums)
            _flush_deep(deep, deepest, d, scratch, sums)
            _flush(values, f, 1, scratch, sums)
            _flush_blanks(blanks, scratch, blank)
            steps = nothing()
            values = nothing()
            blanks = zero
            used = 0
            deepest = 0
        used += length
        z = zero
        for t in range(length):
            x = load(tiles, base + np.int64(walk[at + t]) * LANES)
            store(rows, t * LANES, x)
            z = add_equal(z, x, paper)
        for t in range(length, (length + 3) & ~3):
            store(rows, t * LANES, paper)
        for t in range(0, length, 4):
            x0 = load(rows, t * LANES)
            x1 = load(rows, t * LANES + LANES)
            x2 = load(rows, t * LANES + 2 * LANES)
            x3 = load(rows, t * LANES + 3 * LANES)
            r0 = zero
            r1 = add_equal(zero, x0, x1)
            r2 = add_equal(add_equal(zero, x0, x2), x1, x2)
            r3 = add_equal(add_equal(add_equal(zero, x0, x3), x1, x3), x2, x3)
            if t == 0:
                steps = tally(steps, zero_where_equal(r1, x1, paper), 1)
                if length > 2:
                    steps = tally(steps, zero_where_equal(r2, x2, paper), 2)
                    steps = tally(steps, zero_where_equal(r3, x3, paper), 3)
                continue
            for q in range(t):
                y = load(rows, q * LANES)
                r0 = add_equal(r0, y, x0)
                r1 = add_equal(r1, y, x1)
                r2 = add_equal(r2, y, x2)
                r3 = add_equal(r3, y, x3)
            r0 = zero_where_equal(r0, x0, paper)
            r1 = zero_where_equal(r1, x1, paper)
            r2 = zero_where_equal(r2, x2, paper)
            r3 = zero_where_equal(r3, x3, paper)
            steps = tally(tally(tally(tally(steps, r0, 8), r1, 8), r2, 8), r3, 8)
            if t > 4:
                deepest = _deepen(r0, r1, r2, r3, deep, deepest)
        values = tally(values, z, 8)
        bits = above(z)
        if bits:
            _spill(bits, z, f, scratch, sums)
        blanks = add(blanks, z)
        at += length
    _flush(steps, d, 1, scratch, sums)
    _flush_deep(deep, deepest, d, scratch, sums)
    _flush(values, f, 1, scratch, sums)
    _flush_blanks(blanks, scratch, blank)
    while at < last:
        blanks = zero
        stop = min(last, at + _LONGEST)
        for t in range(at, stop):
            blanks = add_equal(blanks, load(tiles, base + np.int64(walk[t]) * LANES), paper)
        _flush_blanks(blanks, scratch, blank)
        at = stop


@numba.njit
def _paper(tiles, base, walk, at, runs, run, run_end, background, f, scratch, sums, wide):
    paper = splat(background)
    zero = splat(np.uint8(0))
    values = nothing()
    used = 0
    for s in range(run, run_end):
        length = np.int64(runs[s])
        if length > _LONGEST:
            _long_blanks(tiles, base, walk, at, at + length, background, f, sums, wide)
            at += length
            continue
        used += 1
        if used > _LONGEST:
            _flush(values, f, 1, scratch, sums)
            values = nothing()
            used = 1
        z = zero
        for t in range(at, at + length):
            z = add_equal(z, load(tiles, base + np.int64(walk[t]) * LANES), paper)
        at += length
        values = tally(values, z, 8)
        bits = above(z)
        if bits:
            _spill(bits, z, f, scratch, sums)
    _flush(values, f, 1, scratch, sums)


@numba.njit
def _paper_few(tiles, base, pixels, few, walk, start, runs, runs_start, first, stop, background, f, sums):
    off = np.empty(pixels, np.uint8)
    for lane in range(few):
        for q in range(pixels):
            off[q] = tiles[base + q * LANES + lane] == background
        for v in range(first, stop):
            at = start[v]
            total = 0.0
            for s in range(runs_start[v], runs_start[v + 1]):
                end = at + np.int64(runs[s])
                count = 0
                for t in range(at, end):
                    count += off[walk[t]]
                total += f[count]
                at = end
            sums[v - first, lane] += total


@numba.njit
def _pair(a, b, i, j, pixels, background, f, d, out):
    m, n = len(a.marginal), len(b.marginal)
    top, left = i * LANES, j * LANES
    rows, columns = min(LANES, m - top), min(LANES, n - left)
    base_a, base_b = top * pixels, left * pixels
    ink = np.zeros((rows, LANES))
    blank = np.zeros((rows, LANES), np.int64)
    paper = np.zeros((columns, LANES))
    scratch = np.empty((2 * TALLIED + 1) * LANES, np.uint8)
    rows_scratch = np.empty(256 * LANES, np.uint8)
    deep = np.zeros(264 * LANES, np.uint8)
    counts = np.zeros((256, LANES), np.int32)
    wide = np.zeros(LANES, np.int64)
    for u in range(rows):
        k = top + u
        _ink(b.bytes, base_b, a.walk, a.walk_start[k], a.walk_start[k + 1], a.runs, a.runs_start[k], a.runs_start[k + 1],
             background, f, d, scratch, deep, rows_scratch, ink[u], blank[u], counts)
    if rows <= _FEW:
        _paper_few(a.bytes, base_a, pixels, rows, b.walk, b.walk_start, b.runs, b.runs_start, left, left + columns, background, f, paper)
    else:
        for v in range(columns):
            k = left + v
            _paper(a.bytes, base_a, b.walk, b.walk_start[k], b.runs, b.runs_start[k], b.runs_start[k + 1], background, f, scratch, paper[v], wide)
    for u in range(rows):
        for v in range(columns):
            both = b.paper[left + v] - blank[u, v]
            joint = ink[u, v] + paper[v, u] + f[both]
            total = f[pixels] + joint - a.marginal[top + u] - b.marginal[left + v]
            out[top + u, left + v] = max(0.0, total) / pixels


@numba.njit(parallel=True, cache=True)
def tile_pairs(a, b, first, second, pixels, background, f, d, out):
    for k in numba.prange(len(first)):
        _pair(a, b, first[k], second[k], pixels, background, f, d, out)
