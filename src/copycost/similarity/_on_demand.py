"""A similarity without a matrix: blocks are computed from the images when asked, rows are cached."""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Sequence
from functools import cached_property
from threading import Lock

import numpy as np

from copycost._types import AnyArray, ByteArray, Float32Array, IntArray
from copycost.errors import InvalidInput
from copycost.similarity._contract import Dense, Indices, Similarity, as_subset
from copycost.similarity._levels import as_pixels
from copycost.similarity._pairs import between, within
from copycost.similarity._tiles import Tiled, common_level, tile

__all__ = ["OnDemand"]

_tokens = itertools.count()


class _RowCache:
    """The rows used last, at most ``limit`` bytes of them; shared by an `OnDemand` and its restrictions."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0
        self._rows: OrderedDict[tuple[int, int], Float32Array] = OrderedDict()
        self._lock = Lock()

    def get(self, token: int, row: int) -> Float32Array | None:
        with self._lock:
            found = self._rows.get((token, row))
            if found is not None:
                self._rows.move_to_end((token, row))
            return found

    def rows(self, token: int) -> list[int]:
        with self._lock:
            return [row for owner, row in self._rows if owner == token]

    def put(self, token: int, row: int, values: Float32Array) -> None:
        with self._lock:
            if values.nbytes > self.limit or (token, row) in self._rows:
                return
            self._rows[token, row] = values
            self.used += values.nbytes
            while self.used > self.limit:
                self.used -= self._rows.popitem(last=False)[1].nbytes


class OnDemand(Similarity):
    """Mutual information computed when asked, in nats, with whole rows cached.

    Greedy choice and one-hot replacement need only the rows of the points they pick, so a few starts over
    60,000 images need no matrix.

    Parameters
    ----------
    images : array (n, ...) or list of n arrays of one shape
        As for `mutual_information`.
    levels : int, optional
        As for `mutual_information`.
    cache_bytes : int
        The most bytes that cached rows may take, those of its restrictions included; 256 MiB by default.

    Raises
    ------
    InvalidInput
        As `mutual_information`; or if ``cache_bytes`` is negative.

    Examples
    --------
    >>> images = np.array([[0, 0, 9, 9], [5, 5, 7, 7], [1, 1, 1, 1]], dtype=np.uint8)
    >>> OnDemand(images).block([2], [0, 1]).tolist()
    [[0.0, 0.0]]
    """

    def __init__(
        self,
        images: AnyArray | Sequence[AnyArray],
        *,
        levels: int | None = None,
        cache_bytes: int = 256 << 20,
    ) -> None:
        if cache_bytes < 0:
            raise InvalidInput(f"cache_bytes is {cache_bytes}; give 0 (cache nothing) or a number of bytes.")
        self._start(as_pixels(images, levels), _RowCache(cache_bytes))

    def _start(self, pixels: ByteArray, cache: _RowCache) -> None:
        self._pixels = pixels
        self._cache = cache
        self._token = next(_tokens)

    @property
    def n(self) -> int:
        """The number of images."""
        return len(self._pixels)

    @property
    def cached_bytes(self) -> int:
        """The bytes that cached rows take now, those of restrictions included."""
        return self._cache.used

    def cached_rows(self) -> list[int]:
        """Return the rows cached now, the one used longest ago first."""
        return self._cache.rows(self._token)

    def restrict(self, ids: Indices) -> OnDemand:
        """Return the same on the images ``ids`` alone, its shorter rows cached under the same limit."""
        restricted = OnDemand.__new__(OnDemand)
        restricted._start(self._pixels[as_subset(ids, self.n)], self._cache)
        return restricted

    def dense(self) -> Dense:
        """Return the whole matrix in memory, each pair computed once."""
        return Dense.of_trusted(within(self._tiled, lambda share: None))

    @cached_property
    def _tiled(self) -> Tiled:
        return tile(self._pixels, self._background)

    @cached_property
    def _background(self) -> int:
        return common_level(self._pixels)

    def _tile(self, ids: IntArray) -> Tiled:
        return tile(self._pixels[ids], self._background)

    def _block(self, rows: IntArray, columns: IntArray | None) -> Float32Array:
        if len(rows) == 0 or (columns is not None and len(columns) == 0):
            return np.empty((len(rows), self.n if columns is None else len(columns)), dtype=np.float32)
        known = {int(row): self._cache.get(self._token, int(row)) for row in rows}
        missing = np.array([row for row, values in known.items() if values is None], dtype=np.int64)
        if columns is not None and len(missing):
            return between(self._tile(rows), self._tile(columns))
        if len(missing):
            fresh = between(self._tile(missing), self._tiled)
            for row, values in zip(missing, fresh, strict=True):
                known[int(row)] = values
                self._cache.put(self._token, int(row), values.copy())
        chosen = [values for row in rows if (values := known[int(row)]) is not None]
        whole = np.stack(chosen)
        return whole if columns is None else whole[:, columns]
