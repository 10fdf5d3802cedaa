"""From images of any kind to rows of levels: one byte a pixel, at most 256 levels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from copycost._types import AnyArray, ByteArray
from copycost.errors import InvalidInput

__all__ = ["as_pixels", "luminance", "to_levels"]

MAX_LEVELS = 256
_CHUNK_VALUES = 1 << 24


def luminance(images: AnyArray) -> ByteArray:
    """Return the ITU-R BT.601 luminance of colour images, rounded to the nearest level.

    Parameters
    ----------
    images : uint8 array (n, height, width, 3)
        Red, green and blue.

    Returns
    -------
    uint8 array (n, height, width, 1)

    Raises
    ------
    InvalidInput
        If the array has another dtype or shape.

    Examples
    --------
    >>> luminance(np.array([[[[255, 0, 0]]], [[[9, 9, 9]]]], dtype=np.uint8)).ravel().tolist()
    [76, 9]
    """
    images = np.asarray(images)
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] != 3:
        raise InvalidInput(
            f"images have shape {images.shape} and dtype {images.dtype}; uint8 (n, height, width, 3) "
            "is needed. Grey images are their own luminance."
        )
    red, green, blue = (images[..., channel].astype(np.uint32) for channel in range(3))
    grey = (299 * red + 587 * green + 114 * blue + 500) // 1000
    return grey.astype(np.uint8)[..., np.newaxis]


def to_levels(images: AnyArray | Sequence[AnyArray], levels: int | None = None) -> ByteArray:
    """Return images as uint8 levels, binned where they are not uint8 already.

    Parameters
    ----------
    images : array (n, ...) or list of n arrays of one shape
        Real numbers. uint8 passes through unless ``levels`` is given; booleans become the levels 0 and 1.
    levels : int, optional
        The number of equal-width bins over the array's own smallest to largest value, 1 to 256.

    Returns
    -------
    uint8 array of the same shape

    Raises
    ------
    InvalidInput
        If the images are empty, of different shapes, not real numbers, hold NaN or an infinity, or need
        ``levels`` and have none; or if ``levels`` is not an integer from 1 to 256.

    Examples
    --------
    >>> to_levels(np.array([[0.0, 0.4, 0.5, 1.0]]), levels=2).tolist()
    [[0, 0, 1, 1]]
    """
    array = _stacked(images)
    if levels is not None:
        _check_levels(levels)
    if array.dtype == np.bool_:
        return array.view(np.uint8)
    if levels is None:
        if array.dtype != np.uint8:
            raise InvalidInput(
                f"images have dtype {array.dtype}, which has no levels of its own; "
                f"give levels, the number of equal-width bins (1 to {MAX_LEVELS}), or convert them to uint8."
            )
        return array
    return _binned(array, levels)


def as_pixels(images: AnyArray | Sequence[AnyArray], levels: int | None = None) -> ByteArray:
    """Return images as C-contiguous uint8 (n, pixels); every value of every channel is a pixel."""
    array = to_levels(images, levels)
    return np.ascontiguousarray(array.reshape(len(array), -1))


def _stacked(images: AnyArray | Sequence[AnyArray]) -> AnyArray:
    if not isinstance(images, np.ndarray):
        shapes = [np.shape(image) for image in images]
        for index, shape in enumerate(shapes):
            if shape != shapes[0]:
                raise InvalidInput(
                    f"image {index} has shape {shape} and image 0 has shape {shapes[0]}; "
                    "mutual information compares pixel with pixel, so resize the images to one shape first."
                )
        images = np.asarray(images)
    if images.ndim < 2 or images.size == 0:
        raise InvalidInput(
            f"images have shape {images.shape}; (n, ...) with at least one image and one pixel is needed."
        )
    if images.dtype.kind not in "biuf":
        raise InvalidInput(f"images have dtype {images.dtype}; real numbers are needed.")
    return images


def _check_levels(levels: int) -> None:
    if not isinstance(levels, int | np.integer) or isinstance(levels, bool) or not 1 <= levels <= MAX_LEVELS:
        raise InvalidInput(
            f"levels is {levels!r}; an integer from 1 to {MAX_LEVELS} is needed, so that a level fits a byte."
        )


def _binned(array: AnyArray, levels: int) -> ByteArray:
    """Return equal-width bins over the array's range, worked in chunks to bound the memory in float64."""
    low, high = float(array.min()), float(array.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise InvalidInput(
            "images hold NaN or infinite values, which belong to no level; replace them or leave them out."
        )
    width = high / levels - low / levels
    binned = np.zeros(array.shape, dtype=np.uint8)
    if width == 0:
        return binned
    step = max(1, _CHUNK_VALUES // max(1, array[0].size))
    for start in range(0, len(array), step):
        position = array[start : start + step].astype(np.float64) / width - low / width
        binned[start : start + step] = np.clip(np.floor(position), 0, levels - 1)
    return binned
