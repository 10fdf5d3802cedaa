"""What a solver sees of a similarity: its size, its blocks, and lazy views of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from copycost._types import AnyArray, Float32Array, FloatArray, IntArray
from copycost.errors import InvalidInput

__all__ = ["Dense", "Similarity", "as_indices"]

_PANEL_BYTES = 64 << 20
_SYMMETRY_TOLERANCE = 1e-5

Indices = IntArray | Sequence[int]


class Similarity(ABC):
    """A symmetric measure between all pairs of ``n`` items, read in blocks of float32.

    The diagonal is part of the data (for mutual information it holds the entropies) and solvers ignore it.
    A subclass writes `n` and `_block`; every check lives in `block`.
    """

    @property
    @abstractmethod
    def n(self) -> int:
        """The number of items."""

    @abstractmethod
    def _block(self, rows: IntArray, columns: IntArray | None) -> Float32Array:
        """Return the block of checked ``rows`` and ``columns`` (all of them for None)."""

    def block(self, rows: Indices, columns: Indices | None = None) -> Float32Array:
        """Return the similarities between ``rows`` and ``columns``.

        Parameters
        ----------
        rows : integers (r,)
            Indices from 0 to n - 1, in any order; repeats are allowed.
        columns : integers (c,), optional
            The same for the columns; all n by default.

        Returns
        -------
        float32 array (r, c)
            To be read, not written to: it may be a window on stored data.

        Raises
        ------
        InvalidInput
            If an index is not an integer from 0 to n - 1.
        """
        chosen = None if columns is None else as_indices(columns, self.n, "columns")
        return self._block(as_indices(rows, self.n, "rows"), chosen)

    def power(self, alpha: float) -> Similarity:
        """Return a view with every value raised to ``alpha`` (DRMI, Equation 2).

        Raises
        ------
        InvalidInput
            If ``alpha`` is not a positive number, or a block with negative values is raised to a fraction.
        """
        if not (np.isfinite(alpha) and alpha > 0):
            raise InvalidInput(f"alpha is {alpha}; a positive number is needed, such as 1, 2 or 4.")
        return self if alpha == 1 else _Power(self, float(alpha))

    def negate(self) -> Similarity:
        """Return a view with every sign turned, which turns a lightest subset into a heaviest one."""
        return _Negated(self)

    def restrict(self, ids: Indices) -> Similarity:
        """Return a view of the items ``ids`` alone, renumbered from 0 in the given order.

        Raises
        ------
        InvalidInput
            If ``ids`` is empty, repeats an item, or holds anything but integers from 0 to n - 1.
        """
        return _Restricted(self, as_subset(ids, self.n))

    def dense(self) -> Dense:
        """Return the whole matrix in memory: 4 n^2 bytes."""
        matrix = np.empty((self.n, self.n), dtype=np.float32)
        step = max(1, _PANEL_BYTES // (4 * self.n))
        for start in range(0, self.n, step):
            rows = np.arange(start, min(start + step, self.n))
            matrix[rows] = self._block(rows, None)
        return Dense.of_trusted(matrix)


class Dense(Similarity):
    """A similarity whose whole matrix is at hand, in memory or memory-mapped.

    Parameters
    ----------
    matrix : array (n, n)
        Symmetric, finite numbers. A float32 array, memory-mapped or not, is used as it is.

    Raises
    ------
    InvalidInput
        If the matrix is empty, not square, not symmetric, not numeric, or holds NaN or an infinity.

    Examples
    --------
    >>> half = Dense(np.array([[1.0, 0.5], [0.5, 1.0]]))
    >>> half.power(2).negate().block([0]).tolist()
    [[-1.0, -0.25]]
    """

    def __init__(self, matrix: AnyArray) -> None:
        matrix = np.asanyarray(matrix)
        if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.shape[0] == 0:
            raise InvalidInput(f"the similarity matrix has shape {matrix.shape}; (n, n) with n >= 1 is needed.")
        if matrix.dtype.kind not in "fiub":
            raise InvalidInput(f"the similarity matrix has dtype {matrix.dtype}; real numbers are needed.")
        _check_values(matrix)
        with np.errstate(over="ignore"):
            self._matrix: Float32Array = matrix.astype(np.float32, copy=False)

    @classmethod
    def of_trusted(cls, matrix: Float32Array) -> Dense:
        """Wrap a float32 matrix that is known to be square, symmetric and finite, without reading it."""
        trusted = cls.__new__(cls)
        trusted._matrix = matrix
        return trusted

    @property
    def n(self) -> int:
        """The number of items."""
        return len(self._matrix)

    @property
    def matrix(self) -> Float32Array:
        """The matrix itself, float32 (n, n), not a copy."""
        return self._matrix

    def _block(self, rows: IntArray, columns: IntArray | None) -> Float32Array:
        if columns is None:
            whole = len(rows) == self.n and bool((rows == np.arange(self.n)).all())
            return self._matrix if whole else self._matrix[rows]
        return self._matrix[np.ix_(rows, columns)]

    def dense(self) -> Dense:
        """Return itself."""
        return self


class _Elementwise(Similarity):
    """A view that applies one function to every value of ``base``."""

    def __init__(self, base: Similarity) -> None:
        self._base = base

    @property
    def n(self) -> int:
        return self._base.n

    @abstractmethod
    def _apply(self, block: Float32Array) -> Float32Array:
        """Return the function's values, float32 of the same shape, in a new array."""

    @abstractmethod
    def _rebuilt(self, base: Similarity) -> Similarity:
        """Return the same view of another base."""

    def _block(self, rows: IntArray, columns: IntArray | None) -> Float32Array:
        return self._apply(self._base._block(rows, columns))

    def restrict(self, ids: Indices) -> Similarity:
        return self._rebuilt(self._base.restrict(ids))

    def dense(self) -> Dense:
        return Dense.of_trusted(self._apply(self._base.dense().matrix))


class _Power(_Elementwise):
    def __init__(self, base: Similarity, alpha: float) -> None:
        super().__init__(base)
        self._alpha = alpha

    def _apply(self, block: Float32Array) -> Float32Array:
        if not self._alpha.is_integer() and bool((block < 0).any()):
            raise InvalidInput(
                f"alpha is {self._alpha} and the similarity has negative values, whose fractional powers "
                "are no numbers; use a whole alpha, or shift the values so that none is negative."
            )
        if self._alpha in (2.0, 4.0):
            squares = np.square(block)
            return squares if self._alpha == 2.0 else np.square(squares, out=squares)
        raised: Float32Array = np.power(block, np.float32(self._alpha))
        return raised

    def _rebuilt(self, base: Similarity) -> Similarity:
        return _Power(base, self._alpha)


class _Negated(_Elementwise):
    def _apply(self, block: Float32Array) -> Float32Array:
        return -block

    def _rebuilt(self, base: Similarity) -> Similarity:
        return _Negated(base)

    def negate(self) -> Similarity:
        return self._base


class _Restricted(Similarity):
    """The items ``ids`` of ``base``; indices are translated, nothing is copied."""

    def __init__(self, base: Similarity, ids: IntArray) -> None:
        self._base = base
        self._ids = ids

    @property
    def n(self) -> int:
        return len(self._ids)

    def _block(self, rows: IntArray, columns: IntArray | None) -> Float32Array:
        return self._base._block(self._ids[rows], self._ids if columns is None else self._ids[columns])

    def restrict(self, ids: Indices) -> Similarity:
        return self._base.restrict(self._ids[as_subset(ids, self.n)])


def as_indices(indices: Indices, n: int, name: str) -> IntArray:
    """Return ``indices`` as int64 (m,), or raise InvalidInput if one is not an integer from 0 to n - 1."""
    array = np.asarray(indices)
    if array.size == 0 and array.ndim == 1:
        return np.empty(0, dtype=np.int64)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise InvalidInput(
            f"{name} has shape {array.shape} and dtype {array.dtype}; a list of integers from 0 to {n - 1} "
            "is needed (numpy.flatnonzero turns a mask into one)."
        )
    if array.min() < 0 or array.max() >= n:
        wrong = array[(array < 0) | (array >= n)][0]
        raise InvalidInput(f"{name} holds {wrong}; integers from 0 to {n - 1} are allowed.")
    return array.astype(np.int64, copy=False)


def as_subset(ids: Indices, n: int) -> IntArray:
    """Return ``ids`` as distinct indices below ``n``, at least one."""
    chosen = as_indices(ids, n, "ids")
    if len(chosen) == 0:
        raise InvalidInput("ids is empty; give at least one item to restrict a similarity to.")
    if len(np.unique(chosen)) < len(chosen):
        raise InvalidInput("ids repeats an item; give each item once (numpy.unique removes repeats).")
    return chosen


def _check_values(matrix: AnyArray) -> None:
    """Raise unless ``matrix`` is finite and symmetric in float32, reading it tile by tile."""
    n, side = len(matrix), 1024
    largest = worst = 0.0
    place = (0, 0)
    for top in range(0, n, side):
        for left in range(top, n, side):
            upper = _finite_tile(matrix, top, left, side)
            lower = _finite_tile(matrix, left, top, side).T
            gaps = np.abs(upper - lower)
            largest = max(largest, float(np.abs(upper).max()))
            if gaps.max() > worst:
                row, column = divmod(int(gaps.argmax()), gaps.shape[1])
                worst, place = float(gaps.max()), (top + row, left + column)
    if worst > _SYMMETRY_TOLERANCE * largest:
        row, column = place
        raise InvalidInput(
            f"the similarity matrix is not symmetric: entries ({row}, {column}) and ({column}, {row}) "
            f"differ by {worst:.3g}; average it with its transpose if that is what you mean."
        )


def _finite_tile(matrix: AnyArray, top: int, left: int, side: int) -> FloatArray:
    with np.errstate(over="ignore"):
        tile = np.asarray(matrix[top : top + side, left : left + side], dtype=np.float32)
    bad = np.argwhere(~np.isfinite(tile))
    if len(bad):
        row, column = top + int(bad[0, 0]), left + int(bad[0, 1])
        raise InvalidInput(
            f"the similarity matrix holds {matrix[row, column]} at ({row}, {column}); every pair needs "
            "a finite similarity that a float32 can hold."
        )
    return tile.astype(np.float64)
