"""What all pairs cost: whether their matrix is kept, and how long a pair takes on this machine."""

from __future__ import annotations

import time

from copycost._types import ByteArray
from copycost.similarity._mutual_information import mutual_information_block

__all__ = ["MATRIX_LIMIT", "matrix_bytes", "matrix_fits", "seconds_per_pair"]

MATRIX_LIMIT = 2 * 2**30  # bytes: above this no whole matrix is kept
_TRIALS = (64, 64, 128, 256, 512, 512)  # images
_ENOUGH = 0.1  # seconds


def matrix_bytes(n: int) -> int:
    """Return the size of the matrix of ``n`` images, in bytes."""
    return 4 * n * n


def matrix_fits(n: int) -> bool:
    """Return whether the matrix of ``n`` images is kept whole."""
    return matrix_bytes(n) <= MATRIX_LIMIT


def seconds_per_pair(images: ByteArray) -> float:
    """Return how long the mutual information of one pair takes here, from trials on images spread over the array.

    The trials grow until one is long enough to say something; the least counts, as other work only adds to it.
    """
    runs: list[float] = []
    for count in _TRIALS:
        few = images[:: max(1, len(images) // count)][:count]
        start = time.perf_counter()
        mutual_information_block(few, few)
        elapsed = time.perf_counter() - start
        runs.append(elapsed / len(few) ** 2)
        if len(runs) > 1 and elapsed > _ENOUGH:
            break
    return min(runs[1:])  # the first compiles
