"""Inputs: what is asked of a target, one implementation for each medium.

Everything above ``targets/`` and ``substitutes/`` speaks to the `Inputs` protocol, so that a strategy, a
ledger or a measure need not know whether it handles images or texts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Protocol, Self, runtime_checkable

import numpy as np

from copycost._types import AnyArray, ByteArray, IntArray
from copycost.errors import InvalidInput

__all__ = ["Images", "Inputs", "Texts"]


@runtime_checkable
class Inputs(Protocol):
    """A finite, ordered, immutable collection of inputs of one medium."""

    medium: str

    def __len__(self) -> int:
        """Return the number of inputs."""
        ...

    def take(self, indices: IntArray | Sequence[int]) -> Self:
        """Return the inputs at ``indices``, in that order."""
        ...

    def concat(self, other: Self) -> Self:
        """Return these inputs followed by ``other``."""
        ...

    def digests(self) -> list[bytes]:
        """Return the 32-byte SHA-256 of each input as it is sent."""
        ...

    def digest(self) -> str:
        """Return one hexadecimal SHA-256 that names the whole collection."""
        ...


class Images:
    """Images as the rest of copycost sees them: uint8, n x height x width x channels.

    Parameters
    ----------
    array : uint8 array (n, height, width, channels) or (n, height, width)
        Grey images may leave the channel axis out. The array is copied unless it is read-only and contiguous.

    Raises
    ------
    InvalidInput
        If the array is not uint8, has another number of axes, or its images hold no pixel.

    Examples
    --------
    >>> images = Images(np.zeros((3, 2, 2), np.uint8))
    >>> len(images), images.shape
    (3, (2, 2, 1))
    >>> images.digests()[0] == images.digests()[2]
    True
    """

    medium = "image"

    def __init__(self, array: AnyArray) -> None:
        array = np.asarray(array)
        if array.dtype != np.uint8:
            raise InvalidInput(
                f"images have dtype {array.dtype}; uint8 with values 0 to 255 is needed. "
                "Scale and round floats to 0..255 and convert them with .astype(numpy.uint8)."
            )
        if array.ndim == 3:
            array = array[..., np.newaxis]
        if array.ndim != 4 or 0 in array.shape[1:]:
            raise InvalidInput(
                f"images have shape {array.shape}; (n, height, width, channels) or (n, height, width) is "
                "needed, with at least one pixel."
            )
        if array.flags.writeable or not array.flags.c_contiguous:
            array = np.array(array, order="C")
            array.flags.writeable = False
        self.array: ByteArray = array

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels of one image."""
        _, height, width, channels = self.array.shape
        return height, width, channels

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.array)

    def __repr__(self) -> str:
        height, width, channels = self.shape
        return f"Images(n={len(self)}, {height}x{width}x{channels})"

    def take(self, indices: IntArray | Sequence[int]) -> Images:
        """Return the images at ``indices``, in that order; repeats are allowed.

        Raises
        ------
        InvalidInput
            If an index is not a whole number from 0 to n - 1. A negative one would otherwise count from the
            end, where a strategy's -1 means an input that is not in the pool.
        """
        return Images(_frozen(self.array[_rows(indices, len(self))]))

    def concat(self, other: Images) -> Images:
        """Return these images followed by ``other``, which must have the same height, width and channels.

        Where one of the two is empty, the other is returned itself and not a copy.
        """
        if other.shape != self.shape:
            raise InvalidInput(
                f"images of shape {other.shape} cannot follow images of shape {self.shape}; "
                "resize one of the two so that height, width and channels agree."
            )
        if not len(self) or not len(other):
            return self if len(self) else other
        return Images(_frozen(np.concatenate([self.array, other.array])))

    def digests(self) -> list[bytes]:
        """Return the SHA-256 of each image: its shape, then its bytes."""
        head = repr(self.shape).encode()
        return [hashlib.sha256(head + image.tobytes()).digest() for image in self.array]

    def digest(self) -> str:
        """Return one hexadecimal SHA-256 over the count, the shape and all bytes."""
        whole = hashlib.sha256(repr((self.medium, *self.array.shape)).encode())
        whole.update(self.array.data if len(self) else b"")
        return whole.hexdigest()


class Texts:
    """Texts as a target is asked them: whole strings, sent as UTF-8.

    Parameters
    ----------
    texts : sequence of str
        One string an input; an empty one is an input like any other.

    Raises
    ------
    InvalidInput
        If it is one string rather than several, holds something else than strings, or a string that UTF-8 cannot write
        (half of a surrogate pair).

    Examples
    --------
    >>> texts = Texts(["a fine film", "a dull one"])
    >>> texts.take([1]).texts
    ('a dull one',)
    """

    medium = "text"

    def __init__(self, texts: Sequence[str]) -> None:
        if isinstance(texts, str | bytes):
            raise InvalidInput(
                f"texts is one {type(texts).__name__} of length {len(texts)}; a sequence of strings is needed: put it "
                "in a list."
            )
        self.texts: tuple[str, ...] = tuple(texts)
        for row, text in enumerate(self.texts):
            if not isinstance(text, str):
                raise InvalidInput(f"text {row} is of type {type(text).__name__}; strings are needed: decode bytes.")
            if not text.isascii():
                _utf8(text, row)

    def __len__(self) -> int:
        """Return the number of texts."""
        return len(self.texts)

    def __repr__(self) -> str:
        return f"Texts(n={len(self)})"

    def take(self, indices: IntArray | Sequence[int]) -> Texts:
        """Return the texts at ``indices``, in that order; repeats are allowed.

        Raises
        ------
        InvalidInput
            If an index is not a whole number from 0 to n - 1.
        """
        return Texts([self.texts[row] for row in _rows(indices, len(self)).tolist()])

    def concat(self, other: Texts) -> Texts:
        """Return these texts followed by ``other``."""
        return Texts(self.texts + other.texts)

    def digests(self) -> list[bytes]:
        """Return the SHA-256 of the UTF-8 bytes of each text."""
        return [hashlib.sha256(text.encode()).digest() for text in self.texts]

    def digest(self) -> str:
        """Return one hexadecimal SHA-256 over the count and the digests of all texts."""
        whole = hashlib.sha256(repr((self.medium, len(self))).encode())
        for digest in self.digests():
            whole.update(digest)
        return whole.hexdigest()


def _utf8(text: str, row: int) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidInput(
            f"text {row} holds {text[error.start]!r} at character {error.start}, which UTF-8 cannot write; read the "
            "file with the encoding it was written in."
        ) from None


def _rows(indices: IntArray | Sequence[int], n: int) -> IntArray:
    rows = np.asarray(indices)
    if rows.ndim != 1 or (rows.size and rows.dtype.kind not in "iu"):
        raise InvalidInput(
            f"indices have shape {rows.shape} and dtype {rows.dtype}; one dimension of whole numbers is "
            "needed. Turn a mask into indices with numpy.flatnonzero."
        )
    if rows.size and (rows.min() < 0 or rows.max() >= n):
        raise InvalidInput(
            f"indices go from {rows.min()} to {rows.max()}, but there are {n} inputs; numbers "
            "from 0 to one below that are allowed."
        )
    return rows.astype(np.int64)


def _frozen(array: ByteArray) -> ByteArray:
    array.flags.writeable = False
    return array
