"""CIFAR-10 in its binary version: the Python version is a pickle, which can run code when it is read."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from copycost._types import ByteArray
from copycost.datasets._dataset import Dataset
from copycost.datasets._fetch import ensure, optional
from copycost.errors import InvalidInput
from copycost.inputs import Images

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
FOLDER = "cifar-10-batches-bin"
URL = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
MD5 = "c32a1d4ab5d03f1284b67883e8d87530"
_FILES = {"train": tuple(f"data_batch_{k}.bin" for k in range(1, 6)), "test": ("test_batch.bin",)}
_ROWS, _ROW = 10_000, 1 + 3 * 32 * 32


def read_cifar10(split: str, data_dir: Path, download: bool) -> Dataset:
    """Read CIFAR-10 from ``cifar-10-batches-bin``."""
    paths = [data_dir / FOLDER / file for file in _FILES[split]]
    ensure("CIFAR-10 (binary version)", paths, data_dir, origin=URL, download=download, fetch=_fetch)
    rows = np.concatenate([_rows(path) for path in paths])
    images = rows[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return Dataset(f"cifar10:{split}", Images(images), rows[:, 0].astype(np.int64), CLASSES)


def _fetch(root: Path) -> None:
    optional("torchvision.datasets.utils").download_and_extract_archive(URL, root, md5=MD5, remove_finished=True)


def _rows(path: Path) -> ByteArray:
    """Return (10000, 3073) bytes: the label, then the red, green and blue planes, row by row."""
    size = path.stat().st_size
    if size != _ROWS * _ROW:
        raise InvalidInput(
            f"{path} has {size} bytes; {_ROWS * _ROW} are needed ({_ROWS} rows of {_ROW}): delete it and "
            "load the set again."
        )
    rows = np.fromfile(path, np.uint8).reshape(_ROWS, _ROW)
    if rows[:, 0].max() >= len(CLASSES):
        raise InvalidInput(
            f"{path} has the label {rows[:, 0].max()}; 0 to 9 are allowed: delete it and load the set again."
        )
    return rows
