"""Images changed a little, anew in every update, so that a copy of few queries does not learn their exact pixels."""

from __future__ import annotations

import math

import torch
from torch.nn import functional

__all__ = ["affine"]

_ANGLE = math.radians(15)
_SHIFT = 1 / 7  # of half the side, so 2 pixels of 28
_SCALE = 0.1


def affine(images: torch.Tensor) -> torch.Tensor:
    """Return images turned by up to 15 degrees, shifted by up to 1/14 of the side and scaled by up to a tenth.

    Each image draws its own from torch's generator, uniformly; what comes in from outside is black.

    Parameters
    ----------
    images : float32 tensor (n, channels, height, width)

    Returns
    -------
    float32 tensor of the same shape
    """
    count = len(images)
    angle = _uniform(count, _ANGLE)
    scale = 1 + _uniform(count, _SCALE)
    cosine, sine = torch.cos(angle) * scale, torch.sin(angle) * scale
    rows = (
        torch.stack([cosine, -sine, _uniform(count, _SHIFT)], dim=1),
        torch.stack([sine, cosine, _uniform(count, _SHIFT)], dim=1),
    )
    turns = torch.stack(rows, dim=1).to(images.device)
    grid = functional.affine_grid(turns, list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def _uniform(count: int, most: float) -> torch.Tensor:
    return (torch.rand(count) * 2 - 1) * most
