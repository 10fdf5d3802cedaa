"""The one table behind every mutual information: f(c) = c log c, rounded so that sums of it are exact.

Mutual information needs only sums of f over the counts of a histogram. With p pixels,

    MI(u, v) = (f(p) + sum f(joint counts) - sum f(counts of u) - sum f(counts of v)) / p     in nats.

Each f(c) is rounded to a multiple of one power of two, chosen so that f(p) still fits the 53 bits of a
float64. Sums and differences of such numbers are exact in any order. Tiles, threads and kernels therefore
agree to the bit, the matrix is symmetric to the bit, and a constant image has exactly 0 with everything.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from copycost._types import FloatArray

__all__ = ["count_log_count"]


@lru_cache(maxsize=4)
def count_log_count(pixels: int) -> FloatArray:
    """Return f(0), ..., f(pixels) as float64 (pixels + 1,), each a multiple of one power of two."""
    counts = np.arange(pixels + 1, dtype=np.float64)
    exact = counts * np.log(np.maximum(counts, 1.0))
    bits = 52 - int(np.ceil(np.log2(exact[-1] + 2.0)))
    rounded: FloatArray = np.ldexp(np.rint(np.ldexp(exact, bits)), -bits)
    rounded.flags.writeable = False
    return rounded
