"""Images laid out for the tile kernel: pixel-major tiles of 64, and the walk of each image by level."""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from copycost._types import AnyArray, ByteArray, FloatArray, IntArray
from copycost.similarity._lanes import LANES
from copycost.similarity._table import count_log_count

__all__ = ["Tiled", "common_level", "part", "tile"]


_SAMPLE = 256


class Tiled(NamedTuple):
    """A set of n images of p pixels in the layout of the tile kernel.

    Attributes
    ----------
    bytes : uint8 (tiles * p * 64,)
        Pixel q of image 64 t + l lies at ((t p) + q) 64 + l; the lanes of missing images are zero.
    walk : unsigned (all ink,)
        For each image the pixels off its background: by level those of levels that repeat, then the others.
    walk_start : int64 (n + 1,)
        Where the walk of each image starts.
    runs : unsigned (all runs,)
        The lengths of the runs of equal level at the head of each walk, each two at least.
    runs_start : int64 (n + 1,)
        Where the runs of each image start.
    marginal : float64 (n,)
        The sum of c log c over the counts of each image's levels.
    paper : int64 (n,)
        The number of background pixels of each image.
    pixels : int
        p, the number of pixels of an image.
    background : int
        The level that the walks leave out.
    longest : int
        The length of the longest run.
    """

    bytes: ByteArray
    walk: AnyArray
    walk_start: IntArray
    runs: AnyArray
    runs_start: IntArray
    marginal: FloatArray
    paper: IntArray
    pixels: int
    background: int
    longest: int


def common_level(*blocks: ByteArray) -> int:
    """Return the level that makes the best background: the one whose runs would cost the kernel most.

    It is chosen from a few hundred images of each block, and decides nothing but the speed.
    """
    cost = np.zeros(256)
    for pixels in blocks:
        cost += _run_cost(_read_only(pixels[:: max(1, len(pixels) // _SAMPLE)].copy()))
    return int(cost.argmax())


def tile(pixels: ByteArray, background: int) -> Tiled:
    """Lay out ``pixels``, C-contiguous (n, p), with the given background level."""
    n, p = pixels.shape
    pixels = _read_only(pixels)
    table = count_log_count(p)
    marginal, paper = np.empty(n), np.empty(n, dtype=np.int64)
    walk_start, runs_start = np.zeros(n + 1, dtype=np.int64), np.zeros(n + 1, dtype=np.int64)
    _measure(pixels, background, table, marginal, paper, walk_start, runs_start)
    np.cumsum(walk_start, out=walk_start)
    np.cumsum(runs_start, out=runs_start)
    small = np.uint16 if p <= 1 << 16 else np.uint32
    walk = np.empty(walk_start[-1], dtype=small)
    runs = np.empty(runs_start[-1], dtype=np.uint32)
    _order(pixels, background, walk, walk_start, runs, runs_start)
    lanes = _aligned(-(-n // LANES) * p * LANES)
    _interleave(pixels, lanes)
    longest = int(runs.max(initial=0))
    return Tiled(lanes, walk, walk_start, runs, runs_start, marginal, paper, p, background, longest)


def part(tiled: Tiled, first: int, stop: int) -> Tiled:
    """Return the images of tiles ``first`` to ``stop`` - 1, without copying them."""
    images = slice(first * LANES, stop * LANES)
    bounds = slice(first * LANES, stop * LANES + 1)
    return tiled._replace(
        bytes=tiled.bytes[first * tiled.pixels * LANES : stop * tiled.pixels * LANES],
        walk_start=tiled.walk_start[bounds],
        runs_start=tiled.runs_start[bounds],
        marginal=tiled.marginal[images],
        paper=tiled.paper[images],
    )


def _read_only(array: ByteArray) -> ByteArray:
    """Return a view that cannot be written to, so that Numba compiles for one kind of array alone."""
    view = array.view()
    view.flags.writeable = False
    return view


def _aligned(size: int) -> ByteArray:
    """Return ``size`` bytes that start on a cache line, so that no row of 64 lies across two."""
    room = np.empty(size + 64, dtype=np.uint8)
    skip = -room.ctypes.data % 64
    return room[skip : skip + size]


@numba.njit(cache=True)
def _count(image: ByteArray, counts: IntArray) -> None:
    counts[:] = 0
    for value in image:
        counts[value] += 1


@numba.njit(cache=True)
def _run_cost(pixels: ByteArray) -> FloatArray:
    cost = np.zeros(256)
    counts = np.zeros(256, np.int64)
    for image in pixels:
        _count(image, counts)
        for level in range(256):
            cost[level] += float(counts[level]) ** 2
    return cost


@numba.njit(cache=True)
def _measure(
    pixels: ByteArray,
    background: int,
    table: FloatArray,
    marginal: FloatArray,
    paper: IntArray,
    ink: IntArray,
    runs: IntArray,
) -> None:
    """Fill the marginals and counts of paper, and at i + 1 how long image i's walk and list of runs are."""
    for i in range(len(pixels)):
        counts = np.zeros(256, np.int64)
        _count(pixels[i], counts)
        total = 0.0
        repeated = 0
        for level in range(256):
            total += table[counts[level]]
            repeated += counts[level] > 1 and level != background
        marginal[i] = total
        paper[i] = counts[background]
        ink[i + 1] = pixels.shape[1] - counts[background]
        runs[i + 1] = repeated


@numba.njit(cache=True)
def _order(
    pixels: ByteArray,
    background: int,
    walk: AnyArray,
    walk_start: IntArray,
    runs: AnyArray,
    runs_start: IntArray,
) -> None:
    for i in range(len(pixels)):
        counts = np.zeros(256, np.int64)
        _count(pixels[i], counts)
        place = np.zeros(256, np.int64)
        at, run = walk_start[i], runs_start[i]
        for level in range(256):
            if counts[level] > 1 and level != background:
                place[level] = at
                runs[run] = counts[level]
                at += counts[level]
                run += 1
        for q in range(pixels.shape[1]):
            level = pixels[i, q]
            if level == background:
                continue
            if counts[level] > 1:
                walk[place[level]] = q
                place[level] += 1
            else:
                walk[at] = q
                at += 1


@numba.njit(cache=True)
def _interleave(pixels: ByteArray, lanes: ByteArray) -> None:
    n, p = pixels.shape
    for t in range((n + 63) // 64):
        first = t * 64
        inside = min(64, n - first)
        tile = lanes[first * p : (first + 64) * p]
        for q in range(p):
            for lane in range(inside):
                tile[q * 64 + lane] = pixels[first + lane, q]
            for lane in range(inside, 64):
                tile[q * 64 + lane] = 0
