"""Changing the size of images, which a record must name because the target sees another image."""

from __future__ import annotations

from typing import Literal

import numpy as np

from copycost._types import ByteArray
from copycost.datasets._fetch import optional
from copycost.errors import InvalidInput
from copycost.inputs import Images

Resample = Literal["bilinear", "nearest", "bicubic", "area"]

# Pillow's names. All but nearest widen their filter when they shrink, so that no pixel is left out.
FILTERS: dict[Resample, str] = {"bilinear": "BILINEAR", "nearest": "NEAREST", "bicubic": "BICUBIC", "area": "BOX"}


def resize(images: Images, height: int, width: int, resample: Resample = "bilinear") -> Images:
    """Return the images at another size, by one of Pillow's filters on each channel, rounded to uint8.

    Parameters
    ----------
    images : Images
        n images of any size; those that have the size already are returned as they are.
    height, width : int
        The new size in pixels, at least 1 each.
    resample : {"bilinear", "nearest", "bicubic", "area"}
        The filter; "area" is the mean of the pixels covered.

    Raises
    ------
    InvalidInput
        If the height or the width is below 1, or the filter is not known.
    MissingExtra
        If Pillow is not installed.

    Notes
    -----
    Used for USPS, 16 x 16, in front of targets that take 28 x 28; mutual information is measured before.

    Examples
    --------
    >>> resize(Images(np.zeros((2, 16, 16), np.uint8)), 28, 28)
    Images(n=2, 28x28x1)
    """
    if height < 1 or width < 1:
        raise InvalidInput(f"the new size is {height} x {width}; both must be at least 1 pixel.")
    if resample not in FILTERS:
        raise InvalidInput(f"resample is {resample!r}; {', '.join(FILTERS)} are allowed.")
    if images.shape[:2] == (height, width):
        return images
    pillow = optional("PIL.Image")
    kernel = pillow.Resampling[FILTERS[resample]]
    out: ByteArray = np.empty((len(images), height, width, images.shape[2]), np.uint8)
    for image, resized in zip(images.array, out, strict=True):
        for channel in range(images.shape[2]):
            plane = pillow.fromarray(np.ascontiguousarray(image[..., channel]))
            resized[..., channel] = plane.resize((width, height), kernel)
    out.flags.writeable = False
    return Images(out)
