"""Array files of the user's own: .npz and .npy, read without ever unpickling."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

import numpy as np

from copycost._types import AnyArray, IntArray
from copycost.datasets._dataset import Dataset
from copycost.errors import InvalidInput
from copycost.inputs import Images

SUFFIXES = (".npz", ".npy")
_IMAGES, _LABELS = ("images", "x"), ("labels", "y")
_KEYS = (*_IMAGES, *_LABELS)
_MOST_CLASSES = 100_000
# What NumPy and zipfile raise for files that are damaged, encrypted, or promise more than memory holds.
_UNREADABLE = (
    ValueError,
    OSError,
    EOFError,
    KeyError,
    RuntimeError,
    MemoryError,
    OverflowError,
    zipfile.BadZipFile,
    zlib.error,
)


def read_array_file(path: Path) -> Dataset:
    """Read a ``.npy`` file of images, or a ``.npz`` file of images and, if known, labels.

    Images are uint8, (n, height, width) or (n, height, width, channels). The classes are named by their
    numbers, from 0 to the largest label of the file.

    Raises
    ------
    InvalidInput
        If the file does not exist, is damaged, holds Python objects, lacks the images, or its arrays do not
        fit.
    """
    if not path.is_file():
        raise InvalidInput(
            f"there is no file {path}; give the path of a .npz or .npy file; a relative one starts at "
            f"{Path.cwd()}."
        )
    arrays = _read_arrays(path)
    images = _pick(path, arrays, _IMAGES)
    if images is None:
        raise InvalidInput(
            f"{path} has the keys {', '.join(sorted(arrays)) or 'none'}; the images are needed as 'images' "
            "or 'x' (and the labels, if known, as 'labels' or 'y')."
        )
    try:
        inputs = Images(images)
    except InvalidInput as error:
        raise InvalidInput(f"{path}: {error}") from error
    labels = _checked_labels(path, _pick(path, arrays, _LABELS))
    classes = () if labels is None else tuple(str(label) for label in range(int(labels.max()) + 1))
    return Dataset(str(path), inputs, labels, classes)


def _read_arrays(path: Path) -> dict[str, AnyArray | None]:
    """Return the arrays by key; a key that nobody asks for is only named."""
    try:
        with path.open("rb") as file:
            content = np.load(file, allow_pickle=False)
            if isinstance(content, np.ndarray):
                return {"images": content}
            with content:
                return {key: np.asarray(content[key]) if key in _KEYS else None for key in content.files}
    except _UNREADABLE as error:
        raise InvalidInput(
            f"{path} cannot be read ({error}). Only plain numeric arrays are allowed, never Python "
            "objects, because reading those can run code: save them with numpy.savez(path, images=..., "
            "labels=...)."
        ) from error


def _pick(path: Path, arrays: dict[str, AnyArray | None], keys: tuple[str, ...]) -> AnyArray | None:
    found = [key for key in keys if key in arrays]
    if len(found) > 1:
        raise InvalidInput(f"{path} has both {found[0]!r} and {found[1]!r}; keep one of the two.")
    return arrays[found[0]] if found else None


def _checked_labels(path: Path, labels: AnyArray | None) -> IntArray | None:
    if labels is None:
        return None
    if labels.dtype.kind not in "iu" or labels.ndim != 1 or labels.size == 0:
        raise InvalidInput(
            f"{path} has labels of dtype {labels.dtype} and shape {labels.shape}; a vector of whole "
            "numbers is needed, one for each image."
        )
    if labels.min() < 0 or labels.max() >= _MOST_CLASSES:
        raise InvalidInput(
            f"{path} has labels from {labels.min()} to {labels.max()}; number the classes from 0, below "
            f"{_MOST_CLASSES}."
        )
    return labels.astype(np.int64)
