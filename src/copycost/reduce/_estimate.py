"""What a reduction takes, said before it begins."""

from __future__ import annotations

import os
from dataclasses import dataclass

from copycost.errors import InvalidInput
from copycost.inputs import Images
from copycost.reduce._solvers import ROW_BYTES, drmi_starts
from copycost.similarity._cost import matrix_bytes, matrix_fits, seconds_per_pair

__all__ = ["Estimate", "estimate"]

_COVERAGE_STEP = 2e-9  # seconds to read one similarity in greedy choice
_DRMI_STEP = 1e-9  # seconds for one point of one step of greedy and replacement together
_READS = 4  # rows read for each point chosen, about
_STREAMED = 5  # times that each row is computed, about, where all are to be covered and no matrix is kept
_VIEW_LIMIT = 1 << 30  # the normalised matrix is held too, up to here
_CACHED = 256 << 20  # rows computed on demand
_BASE = 200 << 20  # the interpreter with its libraries


@dataclass(frozen=True)
class Estimate:
    """Seconds and bytes, roughly.

    Attributes
    ----------
    pairs : int
        Pairs of images to be compared.
    seconds : float
    memory : int
        Bytes at the peak.
    """

    pairs: int
    seconds: float
    memory: int

    def __str__(self) -> str:
        minutes = self.seconds / 60
        time = (
            f"{minutes:.0f} minutes"
            if minutes >= 2
            else "a second"
            if self.seconds < 1.5
            else f"{round(self.seconds)} seconds"
        )
        return f"{self.pairs:,} pairs to compare, about {time} and {self.memory / 2**30:.1f} GiB of memory"


def estimate(images: Images, strategy: str, k: int, groups: list[int], reference: int | None) -> Estimate:
    """Return what choosing ``k`` takes, from a trial on a few images and the solvers' complexity.

    Parameters
    ----------
    images : Images
        As they are compared.
    strategy : str
    k : int
        The largest size.
    groups : list of int
        Sizes of the groups that are chosen from; one, n, without labels.
    reference : int or None
        As for the strategy ``coverage``.

    Raises
    ------
    InvalidInput
        If that is more memory than the machine has.
    """
    n = len(images)
    whole = matrix_fits(n)
    # Once for the choice, or at least for what it covers, and once for near-duplicates.
    pairs, solver = 2.0 * (n * (n + 1) // 2 if whole else n * k), 1e-9 * n * k
    for size in groups:
        share = k * size / n
        width = min(reference or size, size)
        starts = drmi_starts(size, max(1, round(share)))
        if strategy == "coverage":
            solver += (size + _READS * share) * width * _COVERAGE_STEP
        elif strategy == "drmi":
            solver += starts * share * size * _DRMI_STEP
        if not whole and strategy != "random":
            streamed = _STREAMED * size if width == size else width
            rows = streamed if strategy == "coverage" else starts * 2 * share
            pairs += size**2 / 2 if matrix_fits(size) else rows * size
    memory = _BASE + 4 * images.array.nbytes
    if whole:
        memory += matrix_bytes(n) + _view(n, strategy)
    else:
        memory += _CACHED + max(_held(size, strategy, reference) for size in groups)
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if memory > physical:
        raise InvalidInput(
            f"reducing {n} images of {' x '.join(map(str, images.shape))} needs about {memory / 2**30:.1f} GiB and "
            f"this machine has {physical / 2**30:.1f}; compare at a smaller size with --transform size=HEIGHTxWIDTH, "
            "or take a part of the pool."
        )
    return Estimate(int(pairs), pairs * seconds_per_pair(images.array) + solver, memory)


def _view(n: int, strategy: str) -> int:
    """Return the bytes of what a solver holds beside the matrix: a normalised or a squared one, or none."""
    return {"coverage": min(matrix_bytes(n), _VIEW_LIMIT), "drmi": matrix_bytes(n)}.get(strategy, 0)


def _held(n: int, strategy: str, reference: int | None) -> int:
    """Return the bytes that a choice among ``n`` images holds, where the whole pool's matrix is not kept."""
    if matrix_fits(n):
        return 0 if strategy == "random" else matrix_bytes(n) + _view(n, strategy)
    return min(ROW_BYTES, 4 * n * min(reference or n, n)) if strategy == "coverage" else 0
