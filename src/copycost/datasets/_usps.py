"""USPS: digits from envelopes, in the text format of LIBSVM packed with bzip2."""

from __future__ import annotations

import bz2
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from copycost._types import ByteArray, IntArray
from copycost.datasets._dataset import Dataset, images_of
from copycost.datasets._fetch import ensure, optional
from copycost.datasets._images import resize
from copycost.errors import InvalidInput
from copycost.inputs import Images

_FILES = {"train": "usps.bz2", "test": "usps.t.bz2"}
_ORIGIN = "https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass/"
_PIXELS = 256
_INNER, _BORDER = 20, 4  # of MNIST's 28 x 28, as LeCun et al. laid its digits out


def read_usps(split: str, data_dir: Path, download: bool) -> Dataset:
    """Read USPS from ``USPS``, where torchvision keeps it."""
    path = data_dir / "USPS" / _FILES[split]
    ensure(
        "USPS",
        [path],
        data_dir,
        origin=_ORIGIN + path.name,
        download=download,
        fetch=partial(_fetch, split),
    )
    images, labels = _rows(path)
    return Dataset(f"usps:{split}", Images(images), labels, tuple(str(digit) for digit in range(10)))


def read_usps28(split: str, data_dir: Path, download: bool) -> Dataset:
    """Read USPS laid out as MNIST is: 20 x 20 pixels, bilinear, in a border of 4."""
    found = read_usps(split, data_dir, download)
    small = resize(images_of(found), _INNER, _INNER).array
    border = ((0, 0), (_BORDER, _BORDER), (_BORDER, _BORDER), (0, 0))
    return replace(found, name=f"usps28:{split}", inputs=Images(np.pad(small, border)))


def _fetch(split: str, root: Path) -> None:
    url, name, md5 = optional("torchvision.datasets").USPS.split_list[split]
    optional("torchvision.datasets.utils").download_url(url, root / "USPS", name, md5)


def _rows(path: Path) -> tuple[ByteArray, IntArray]:
    """Return images (n, 16, 16) and labels (n,) equal to torchvision's, without importing torch.

    A line is the label from 1 to 10 and 256 pairs index:value with values in [-1, 1]; the byte is
    (value + 1) / 2 * 255 in float32, cut off.
    """
    try:
        lines = bz2.decompress(path.read_bytes()).replace(b":", b" ").decode("ascii").splitlines()
        if not lines:
            raise ValueError("it is empty")
        table = np.loadtxt(lines, dtype=np.float64, ndmin=2, comments=None)
    except (OSError, EOFError, ValueError) as error:
        raise InvalidInput(f"{path} cannot be read ({error}); delete it and load the set again.") from error
    labels, indices, values = table[:, 0], table[:, 1::2], table[:, 2::2].astype(np.float32)
    if (
        table.shape[1] != 1 + 2 * _PIXELS
        or not np.isin(labels, np.arange(1, 11)).all()
        or not (indices == np.arange(1, _PIXELS + 1)).all()
        or not (np.abs(values) <= 1).all()
    ):
        raise InvalidInput(
            f"{path} does not hold lines of a label from 1 to 10 and {_PIXELS} values in [-1, 1]; delete "
            "it and load the set again."
        )
    images = ((values + 1) / 2 * 255).astype(np.uint8).reshape(-1, 16, 16)
    return images, labels.astype(np.int64) - 1
