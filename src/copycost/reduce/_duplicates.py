"""Near-duplicates: pairs of images that determine each other, or nearly so.

Their mutual information is taken of 16 grey levels. With all 256 the few pixels of a small photograph spread over so
many pairs of levels that unrelated photographs share more than an image and its JPEG copy do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from copycost._types import ByteArray, Float32Array, IntArray
from copycost.errors import InvalidInput
from copycost.inputs import Images
from copycost.similarity import OnDemand, luminance
from copycost.similarity._cost import matrix_fits
from copycost.subsets import normalised

__all__ = ["MOST_PAIRS", "Duplicates", "check_threshold", "find_duplicates"]

MOST_PAIRS = 100_000
_LEVEL_WIDTH = 16  # of 256 levels, which leaves 16
_PANEL = 1024


@dataclass(frozen=True, eq=False)
class Duplicates:
    """Pairs above a threshold.

    Attributes
    ----------
    first, second : int64 arrays (p,)
        The images of each pair, ``first`` below ``second``; the most similar pairs come first.
    similarity : float32 array (p,)
        MI / sqrt(H H) of 16 grey levels; 1 for images that are equal pixel by pixel, constant ones included.
    among : {"all pairs", "pairs with a chosen image"}
        Where they were looked for.
    cut : bool
        Whether there were more than `MOST_PAIRS`.
    """

    first: IntArray
    second: IntArray
    similarity: Float32Array
    among: str
    cut: bool

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.first)

    def images(self) -> int:
        """Return how many different images have a duplicate."""
        return len(np.unique(np.concatenate([self.first, self.second])))


def find_duplicates(
    images: Images, chosen: IntArray, threshold: float, progress: Callable[[float], None] | None = None
) -> Duplicates:
    """Return the pairs whose normalised mutual information, of 16 grey levels, is at least ``threshold``.

    All pairs are looked at, or those with a chosen image where there are too many images for a matrix. Equal images
    are found among all: each is paired with the first of its kind.

    Raises
    ------
    InvalidInput
        If the threshold is not above 0 and at most 1.
    """
    check_threshold(threshold)
    whole = matrix_fits(len(images))
    rows = np.arange(len(images)) if whole else np.sort(chosen)
    pairs = _equal(images)
    cut = False
    for first, second, value in _above(_coarse(images), rows, threshold, progress):
        pairs.setdefault((first, second), value)
        if len(pairs) > MOST_PAIRS:
            cut = True
            break
    listed = sorted(pairs, key=lambda pair: (-pairs[pair], pair))[:MOST_PAIRS]
    members = np.array(listed, dtype=np.int64).reshape(-1, 2)
    values = np.array([pairs[pair] for pair in listed], dtype=np.float32)
    among = "all pairs" if whole else "pairs with a chosen image"
    return Duplicates(members[:, 0], members[:, 1], values, among, cut)


def check_threshold(threshold: float) -> None:
    """Refuse what is no normalised mutual information.

    Raises
    ------
    InvalidInput
    """
    if not 0 < threshold <= 1:
        raise InvalidInput(f"the threshold of duplicates is {threshold:g}; a number above 0 and at most 1 is needed.")


def _coarse(images: Images) -> ByteArray:
    array = luminance(images.array) if images.shape[2] == 3 else images.array
    return array // np.uint8(_LEVEL_WIDTH)


def _equal(images: Images) -> dict[tuple[int, int], float]:
    first: dict[bytes, int] = {}
    pairs = {}
    for index, digest in enumerate(images.digests()):
        if first.setdefault(digest, index) != index:
            pairs[first[digest], index] = 1.0
    return pairs


def _above(
    levels: ByteArray, rows: IntArray, threshold: float, progress: Callable[[float], None] | None
) -> Iterator[tuple[int, int, float]]:
    """Yield each pair at or above the threshold that has a member in ``rows``, some of them twice."""
    view = normalised(OnDemand(levels, cache_bytes=0))
    threshold = min(threshold, 1 - 1e-6)  # a float32 quotient of equal numbers may fall short of 1 by its rounding
    everything = len(rows) == view.n
    for left in range(0, len(rows), _PANEL):
        points = rows[left : left + _PANEL]
        begin = left if everything else 0
        for start in range(begin, view.n, _PANEL):
            others = np.arange(start, min(start + _PANEL, view.n))
            block = view.block(points, others)
            for row, column in np.argwhere(block >= threshold).tolist():
                point, other = int(points[row]), start + column
                if point < other or (point > other and not everything):
                    yield min(point, other), max(point, other), min(float(block[row, column]), 1.0)
        if progress is not None:
            progress((left + len(points)) / len(rows))
