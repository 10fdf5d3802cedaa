"""Hamming distances between rows of packed bits: how many bits of two rows differ."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

from copycost._types import AnyArray, Float32Array, IntArray
from copycost.errors import InvalidInput
from copycost.similarity._contract import Similarity

__all__ = ["Hamming"]

_WORD = 8  # bytes
_TILE = 16  # rows held in cache while all columns pass by


class Hamming(Similarity):
    """Hamming distances between all pairs of ``n`` rows of bits, computed when they are asked for.

    A distance: near is small. A lightest subset of it has rows that are alike; of its ``negate()``, rows that differ.

    Parameters
    ----------
    bits : uint8 array (n, bytes)
        Eight bits to a byte (`numpy.packbits`). Distances of up to 16,777,216 bits are exact in float32.

    Raises
    ------
    InvalidInput
        If the bits are not bytes in two dimensions, at least one row of one byte.

    Notes
    -----
    DRMI (USENIX Security 2021), Equation 11. Bits are taken 64 at a time, XORed, and counted by the processor's own
    instruction. The diagonal is 0.

    Examples
    --------
    >>> Hamming(np.packbits([[1, 0, 1], [0, 1, 1]], axis=1)).block([0]).tolist()
    [[0.0, 2.0]]
    """

    def __init__(self, bits: AnyArray) -> None:
        bits = np.asarray(bits)
        if bits.ndim != 2 or not bits.size or bits.dtype != np.uint8:
            raise InvalidInput(
                f"bits have shape {bits.shape} and dtype {bits.dtype}; uint8 of shape (n, bytes) is needed, at least "
                "one row of one byte. Pack booleans with numpy.packbits(..., axis=1)."
            )
        padded = np.zeros((len(bits), -(-bits.shape[1] // _WORD) * _WORD), np.uint8)
        padded[:, : bits.shape[1]] = bits
        self._words: AnyArray = padded.view(np.uint64)

    @property
    def n(self) -> int:
        """The number of rows."""
        return len(self._words)

    def _block(self, rows: IntArray, columns: IntArray | None) -> Float32Array:
        others = self._words if columns is None else self._words[columns]
        out = np.empty((len(rows), len(others)), np.float32)
        _distances(self._words[rows], others, out)
        return out


def _population_count(typing_context: Any, word: Any) -> Any:
    """Tell the compiler how the set bits of a 64-bit word are counted: by LLVM's ctpop, one instruction."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), generate


_ones: Any = intrinsic(_population_count)


@njit(cache=True)
def _distances(a: AnyArray, b: AnyArray, out: Float32Array) -> None:
    """Write to ``out`` (m, n) the distances between ``a`` uint64 (m, words) and ``b`` uint64 (n, words)."""
    for top in range(0, a.shape[0], _TILE):
        bottom = min(top + _TILE, a.shape[0])
        for j in range(b.shape[0]):
            for i in range(top, bottom):
                total = np.uint64(0)
                for word in range(a.shape[1]):
                    total += _ones(a[i, word] ^ b[j, word])
                out[i, j] = total
