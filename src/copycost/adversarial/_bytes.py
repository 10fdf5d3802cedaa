"""From float tensors back to the bytes that a target is asked with."""

from __future__ import annotations

import torch

from copycost._types import ByteArray
from copycost.adversarial._classifier import check_images

__all__ = ["round_to_bytes"]


def round_to_bytes(images: torch.Tensor) -> ByteArray:
    """Round float images to the uint8 images that are sent to a target.

    Rounding moves a pixel by at most half a level (1/510), so that a perturbation may grow by that much.
    Where both the image and epsilon are whole levels, a Linf ball is not left.

    Parameters
    ----------
    images : float32 tensor (n, channels, height, width) with values in [0, 1]

    Returns
    -------
    uint8 array (n, height, width, channels)

    Raises
    ------
    InvalidInput
        If the images have another type or rank, are not finite, or leave [0, 1].

    Examples
    --------
    >>> round_to_bytes(torch.tensor([0.0, 0.5, 1.0]).reshape(1, 1, 1, 3)).tolist()
    [[[[0], [128], [255]]]]
    """
    check_images(images)
    levels = (images.detach() * 255).round().to(torch.uint8)
    array: ByteArray = levels.permute(0, 2, 3, 1).contiguous().cpu().numpy()
    return array
