"""What all pairs cost: whether their matrix is kept, and how long a pair takes on this machine."""

from __future__ import annotations

import time

from copycost._types import ByteArray
from copycost.similarity._mutual_information import mutual_information_block

__all__ = ["MATRIX_LIMIT", "matrix_bytes", "matrix_fits", "seconds_per_pair"]

MATRIX_LIMIT = 2 * 2**30  # bytes: above this no whole matrix is kept
_TRIAL = 128  # images
_RUNS = 3  # of which the least counts, as other work on the machine only adds to it


def matrix_bytes(n: int) -> int:
    """Return the size of the matrix of ``n`` images, in bytes."""
    return 4 * n * n


def matrix_fits(n: int) -> bool:
    """Return whether the matrix of ``n`` images is kept whole."""
    return matrix_bytes(n) <= MATRIX_LIMIT


def seconds_per_pair(images: ByteArray) -> float:
    """Return how long the mutual information of one pair takes here, from a trial on images spread over the array."""
    few = images[:: max(1, len(images) // _TRIAL)][:_TRIAL]
    mutual_information_block(few, few)  # compiles
    runs = []
    for _ in range(_RUNS):
        start = time.perf_counter()
        mutual_information_block(few, few)
        runs.append(time.perf_counter() - start)
    return min(runs) / len(few) ** 2
