"""All pairs of laid-out images: which tiles meet, in which order, on all threads."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache
from threading import Lock

import numba
import numpy as np

from copycost._types import Float32Array, FloatArray, IntArray
from copycost.similarity._lanes import LANES
from copycost.similarity._runs import LONGEST
from copycost.similarity._table import count_log_count
from copycost.similarity._threads import start_threads
from copycost.similarity._tile_kernel import tile_pairs
from copycost.similarity._tiles import Tiled

__all__ = ["KERNEL_VERSION", "between", "weights", "within"]

# Raise it when a value could change: stores of another version are not continued.
KERNEL_VERSION = 1

_BATCH_SECONDS = 0.25
_CHUNK = 4
# Not every threading layer of Numba lets two threads start a parallel kernel at once.
_one_at_a_time = Lock()


def between(a: Tiled, b: Tiled) -> Float32Array:
    """Return the mutual information between all images of ``a`` and all of ``b``, float32 (m, n)."""
    out = np.empty((len(a.marginal), len(b.marginal)), dtype=np.float32)
    tiles_a, tiles_b = _tiles(a), _tiles(b)
    first, second = np.repeat(np.arange(tiles_a), tiles_b), np.tile(np.arange(tiles_b), tiles_a)
    _run(a, b, first, second, False, out)
    return out


def within(images: Tiled, report: Callable[[float], None]) -> Float32Array:
    """Return the mutual information between all pairs of ``images``, float32 (n, n), each computed once."""
    n = len(images.marginal)
    out = np.empty((n, n), dtype=np.float32)
    first, second = (side.astype(np.int64) for side in np.triu_indices(_tiles(images)))
    start_threads()
    step, start = 2 * numba.get_num_threads(), 0
    report(0.0)
    while start < len(first):
        stop = min(start + step, len(first))
        began = time.perf_counter()
        _run(images, images, first[start:stop], second[start:stop], True, out)
        # Threads wait for each other after every batch, so batches grow until that no longer matters.
        step *= 2 if time.perf_counter() - began < _BATCH_SECONDS else 1
        start = stop
        report(stop / len(first))
    return out


def _run(a: Tiled, b: Tiled, first: IntArray, second: IntArray, mirror: bool, out: Float32Array) -> None:
    f, d = weights(a.pixels)
    start_threads()
    with _one_at_a_time, numba.parallel_chunksize(_CHUNK if len(first) > _CHUNK * numba.get_num_threads() else 1):
        tile_pairs(a, b, first, second, f, d, mirror, out)


def _tiles(images: Tiled) -> int:
    return -(-len(images.marginal) // LANES)


@lru_cache(maxsize=4)
def weights(pixels: int) -> tuple[FloatArray, FloatArray]:
    """Return f and its differences, with zeros for what a byte can count but few pixels cannot."""
    f = count_log_count(pixels)
    spare = np.zeros(2 * LONGEST)
    return np.concatenate([f, spare]), np.concatenate([np.diff(f), spare])
