"""Changing the size of images, which a record must name because the target sees another image."""

from __future__ import annotations

import numpy as np

from copycost._types import ByteArray
from copycost.datasets._fetch import optional
from copycost.errors import InvalidInput
from copycost.inputs import Images


def resize(images: Images, height: int, width: int) -> Images:
    """Return the images at another size, by Pillow's bilinear filter on each channel, rounded to uint8.

    Parameters
    ----------
    images : Images
        n images of any size; those that have the size already are returned as they are.
    height, width : int
        The new size in pixels, at least 1 each.

    Raises
    ------
    InvalidInput
        If the height or the width is below 1.
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
    if images.shape[:2] == (height, width):
        return images
    pillow = optional("PIL.Image")
    bilinear = pillow.Resampling.BILINEAR
    out: ByteArray = np.empty((len(images), height, width, images.shape[2]), np.uint8)
    for image, resized in zip(images.array, out, strict=True):
        for channel in range(images.shape[2]):
            plane = pillow.fromarray(np.ascontiguousarray(image[..., channel]))
            resized[..., channel] = plane.resize((width, height), bilinear)
    return Images(out)
