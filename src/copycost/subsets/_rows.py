"""Rows of a similarity over the points to be covered: all held at once, or computed when asked and cached."""

from __future__ import annotations

from collections import OrderedDict
from typing import Protocol

import numpy as np

from copycost._types import Float32Array, FloatArray, IntArray
from copycost.errors import InvalidInput
from copycost.similarity import Dense, Similarity

__all__ = ["Rows", "rows_of"]

PANEL_BYTES = 32 << 20


class Rows(Protocol):
    """Float32 rows (m,) of n candidates over m targets."""

    batch: int

    def sums(self) -> FloatArray:
        """Return the sum of each row, float64 (n,)."""
        ...

    def get(self, points: list[int]) -> list[Float32Array]:
        """Return the rows of ``points``."""
        ...


def rows_of(similarity: Similarity, targets: IntArray | None, blind: bool, cache_bytes: int) -> Rows:
    """Return the rows over ``targets`` (all points for None), held if they fit in ``cache_bytes``.

    With ``blind`` the similarity of a point to itself is read as 0.
    """
    n = similarity.n
    if targets is None and (isinstance(similarity, Dense) or 4 * n * n <= cache_bytes):
        matrix = similarity.dense().matrix
        _check_panel(matrix, 0)
        return _Held(matrix)
    if targets is not None and 4 * n * targets.size <= cache_bytes:
        return _Held(_gathered(similarity, targets, blind))
    return _Fetched(similarity, targets, blind, cache_bytes)


class _Held:
    """All rows in one array (n, m)."""

    batch = 1

    def __init__(self, matrix: Float32Array) -> None:
        self._matrix = matrix

    def sums(self) -> FloatArray:
        sums: FloatArray = self._matrix.sum(axis=1, dtype=np.float64)
        return sums

    def get(self, points: list[int]) -> list[Float32Array]:
        return [self._matrix[point] for point in points]


class _Fetched:
    """Rows computed when asked; those used last are kept, up to a number of bytes."""

    batch = 16

    def __init__(self, similarity: Similarity, targets: IntArray | None, blind: bool, limit: int) -> None:
        self._similarity, self._targets, self._blind = similarity, targets, blind
        self._kept: OrderedDict[int, Float32Array] = OrderedDict()
        width = similarity.n if targets is None else targets.size
        self._most = max(self.batch, limit // (4 * width))

    def sums(self) -> FloatArray:
        if self._targets is None:
            return _sums_by_tiles(self._similarity)
        n = self._similarity.n
        step = max(1, PANEL_BYTES // (4 * self._targets.size))
        sums = np.empty(n)
        for top in range(0, n, step):
            points = np.arange(top, min(top + step, n))
            sums[points] = self._panel(points).sum(axis=1, dtype=np.float64)
        return sums

    def get(self, points: list[int]) -> list[Float32Array]:
        missing = [point for point in points if point not in self._kept]
        if missing:
            panel = self._panel(np.array(missing))
            self._kept.update({point: row.copy() for point, row in zip(missing, panel, strict=True)})
        rows = [self._kept[point] for point in points]
        for point in points:
            self._kept.move_to_end(point)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return rows

    def _panel(self, points: IntArray) -> Float32Array:
        return _panel(self._similarity, points, self._targets, self._blind)


def _gathered(similarity: Similarity, targets: IntArray, blind: bool) -> Float32Array:
    n = similarity.n
    matrix = np.empty((n, targets.size), np.float32)
    step = max(1, PANEL_BYTES // (4 * targets.size))
    for top in range(0, n, step):
        points = np.arange(top, min(top + step, n))
        matrix[points] = _panel(similarity, points, targets, blind)
    return matrix


def _panel(similarity: Similarity, points: IntArray, targets: IntArray | None, blind: bool) -> Float32Array:
    panel = similarity.block(points, targets)
    _check_panel(panel, int(points[0]))
    if blind and targets is not None:
        panel = np.where(points[:, np.newaxis] == targets, np.float32(0), panel)
    return np.ascontiguousarray(panel, dtype=np.float32)


def _sums_by_tiles(similarity: Similarity) -> FloatArray:
    """Return the row sums of a symmetric similarity, each pair of tiles read once."""
    n, side = similarity.n, 2048
    sums = np.zeros(n)
    tiles = [np.arange(top, min(top + side, n)) for top in range(0, n, side)]
    for i, rows in enumerate(tiles):
        for columns in tiles[i:]:
            tile = similarity.block(rows, columns)
            _check_panel(tile, int(rows[0]))
            sums[rows] += tile.sum(axis=1, dtype=np.float64)
            if columns is not rows:
                sums[columns] += tile.sum(axis=0, dtype=np.float64)
    return sums


def _check_panel(panel: Float32Array, first: int) -> None:
    lowest, highest = panel.min(), panel.max()
    if lowest >= 0 and highest < np.inf:
        return
    found = float(lowest) if not lowest >= 0 else float(highest)
    raise InvalidInput(
        f"similarity holds {found} in or after the row of point {first}; "
        "coverage needs finite values of at least 0, the diagonal included. "
        "Shift or clip the values, or use lightest_subset."
    )
