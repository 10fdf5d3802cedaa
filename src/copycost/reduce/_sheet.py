"""A contact sheet: the chosen images in one picture."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from copycost._types import ByteArray
from copycost.datasets import resize
from copycost.datasets._fetch import optional
from copycost.inputs import Images

__all__ = ["MOST_SHOWN", "write_sheet"]

MOST_SHOWN = 400
_TILE = 56
_GAP = 3
_PAPER = 255


def write_sheet(path: Path, images: Images) -> int:
    """Write a PNG of the first 400 of ``images``, row by row in their order; return how many it shows."""
    shown = Images(images.array[:MOST_SHOWN])
    tiles = _tiles(shown)
    count, height, width, channels = tiles.shape
    columns = max(1, math.ceil(math.sqrt(count * 1.4 * height / width)))
    rows = -(-count // columns)
    shape = (rows * (height + _GAP) + _GAP, columns * (width + _GAP) + _GAP, channels)
    paper: ByteArray = np.full(shape, _PAPER, np.uint8)
    for place, tile in enumerate(tiles):
        row, column = divmod(place, columns)
        top, left = _GAP + row * (height + _GAP), _GAP + column * (width + _GAP)
        paper[top : top + height, left : left + width] = tile
    optional("PIL.Image").fromarray(paper[..., 0] if channels == 1 else paper).save(path, format="PNG")
    return len(shown)


def _tiles(images: Images) -> ByteArray:
    """Return images of 1 or 3 channels, small ones enlarged by a whole factor, large ones reduced."""
    longer = max(images.shape[:2])
    if longer > _TILE:
        height, width = (max(1, round(side * _TILE / longer)) for side in images.shape[:2])
        images = resize(images, height, width)
    array = images.array
    array = array[..., :3] if array.shape[-1] >= 3 else array[..., :1]
    factor = max(1, _TILE // longer)
    return array.repeat(factor, axis=1).repeat(factor, axis=2)
