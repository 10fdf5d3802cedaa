"""A similarity divided by the geometric mean of its diagonal."""

from __future__ import annotations

import numpy as np

from copycost._types import Float32Array, FloatArray, IntArray
from copycost.errors import InvalidInput
from copycost.similarity import Dense, Similarity

__all__ = ["normalised"]

CHUNK = 64


class _Normalised(Similarity):
    """``s(u, v) / sqrt(s(u, u) s(v, v))``, 0 where a diagonal entry is 0."""

    def __init__(self, base: Similarity) -> None:
        self._base = base
        self._scale = _inverse_roots(_diagonal(base))

    @property
    def n(self) -> int:
        return self._base.n

    def _block(self, rows: IntArray, columns: IntArray | None) -> Float32Array:
        block = self._base.block(rows, columns)
        across = self._scale if columns is None else self._scale[columns]
        return block * self._scale[rows, np.newaxis] * across


def normalised(similarity: Similarity) -> Similarity:
    """Return a view of ``similarity`` divided by the geometric mean of the two diagonal entries.

    For mutual information, whose diagonal holds entropies, this is ``MI(u, v) / sqrt(H(u) H(v))``: from 0 to
    1, and 1 for images that determine each other. An item with 0 on the diagonal (a constant image) is 0 to
    all, itself included.

    Raises
    ------
    InvalidInput
        If the diagonal holds a negative value, NaN or infinity.

    Examples
    --------
    >>> view = normalised(Dense(np.array([[4.0, 1.0], [1.0, 1.0]])))
    >>> view.block([0]).tolist()
    [[1.0, 0.5]]
    """
    return _Normalised(similarity)


def _diagonal(similarity: Similarity) -> FloatArray:
    """Return the diagonal, float64 (n,), read in small square blocks."""
    if isinstance(similarity, Dense):
        return np.diagonal(similarity.matrix).astype(np.float64)
    starts = range(0, similarity.n, CHUNK)
    points = [np.arange(start, min(start + CHUNK, similarity.n)) for start in starts]
    return np.concatenate([np.diagonal(similarity.block(part, part)) for part in points]).astype(np.float64)


def _inverse_roots(diagonal: FloatArray) -> Float32Array:
    wrong = np.flatnonzero(~((diagonal >= 0) & (diagonal < np.inf)))
    if wrong.size:
        raise InvalidInput(
            f"similarity holds {diagonal[wrong[0]]} on its diagonal, at point {wrong[0]}; "
            "finite values of at least 0 are needed there. For mutual "
            "information the diagonal is the entropy of each image."
        )
    roots = np.sqrt(diagonal)
    inverse = np.divide(1.0, roots, out=np.zeros_like(roots), where=roots > 0)
    return inverse.astype(np.float32)
