"""Array files of the user's own: .npz and .npy, read without ever unpickling."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import numpy as np

from copycost._types import AnyArray, IntArray
from copycost.datasets._dataset import Dataset
from copycost.datasets._memory import require_memory
from copycost.errors import InvalidInput
from copycost.inputs import Images

SUFFIXES = (".npz", ".npy")
_IMAGES, _LABELS, _TRACKS = ("images", "x"), ("labels", "y"), ("track",)
_KEYS = (*_IMAGES, *_LABELS, *_TRACKS)
_MOST_CLASSES = 100_000
_NAMED = 10
_MOST_CHANNELS = 4


def read_array_file(path: Path) -> Dataset:
    """Read a ``.npy`` file of images, or a ``.npz`` file of images and, if known, labels and tracks.

    Images are uint8, (n, height, width) or (n, height, width, channels); nothing is scaled or converted on the way.
    The classes are named by their numbers, from 0 to the largest label of the file.

    Raises
    ------
    InvalidInput
        If the file does not exist, is damaged or too large, holds Python objects, lacks the images, or its arrays do
        not fit.
    """
    if not os.path.isfile(path):  # pathlib's own raises on names that no file can have
        raise InvalidInput(
            f"there is no file {path}; give the path of a .npz or .npy file; a relative one starts at {Path.cwd()}."
        )
    arrays = _read_arrays(path)
    images = _pick(path, arrays, _IMAGES)
    if images is None:
        keys = ", ".join(sorted(arrays)[:_NAMED]) + (", …" if len(arrays) > _NAMED else "")
        raise InvalidInput(
            f"{path} has the keys {keys or 'none'}; the images are needed as 'images' "
            "or 'x' (and the labels, if known, as 'labels' or 'y')."
        )
    _check_pixels(path, images)
    try:
        inputs = Images(images)
    except InvalidInput as error:
        raise InvalidInput(f"{path}: {error}") from error
    labels = _checked_labels(path, _pick(path, arrays, _LABELS))
    classes = () if labels is None else tuple(str(label) for label in range(int(labels.max()) + 1))
    tracks = _checked_tracks(path, _pick(path, arrays, _TRACKS))
    return Dataset(str(path), inputs, labels, classes, named=False, tracks=tracks)


def _read_arrays(path: Path) -> dict[str, AnyArray | None]:
    """Return the arrays by key; a key that nobody asks for is only named."""
    try:
        with path.open("rb") as file:
            require_memory(_promised(path), str(path))
            content = np.load(file, allow_pickle=False)
            if isinstance(content, np.ndarray):
                return {"images": content}
            with content:
                return {key: np.asarray(content[key]) if key in _KEYS else None for key in content.files}
    except InvalidInput:
        raise
    # Damaged files make NumPy, zipfile and zlib raise almost anything, and none may reach a user as a traceback.
    except Exception as error:
        raise InvalidInput(
            f"{path} cannot be read ({_reason(error)}). Only plain numeric arrays are allowed, never Python "
            "objects, because reading those can run code: save them with numpy.savez(path, images=..., "
            "labels=...)."
        ) from error


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def _promised(path: Path) -> int:
    """Return how many bytes the arrays that will be read take once unpacked."""
    if not zipfile.is_zipfile(path):
        return path.stat().st_size
    with zipfile.ZipFile(path) as archive:
        return sum(info.file_size for info in archive.infolist() if info.filename.removesuffix(".npy") in _KEYS)


def _check_pixels(path: Path, images: AnyArray) -> None:
    """Refuse what is not bytes, saying what it looks like and how to convert it, and channels that come first."""
    if images.dtype != np.uint8:
        raise InvalidInput(
            f"{path}: images have dtype {images.dtype}{_range(images)}; uint8 from 0 (black) to 255 is needed, and "
            f"nothing is converted silently. {_conversion(images)}"
        )
    if images.ndim == 4 and images.shape[1] in (1, 3) and images.shape[3] > _MOST_CHANNELS:
        raise InvalidInput(
            f"{path}: images have shape {images.shape}, which looks like channels first; (n, height, width, channels) "
            "is needed: turn them with images.transpose(0, 2, 3, 1)."
        )


def _range(images: AnyArray) -> str:
    if images.dtype.kind not in "biuf" or images.size == 0:
        return ""
    bad = _not_finite(images)
    if bad:
        return f" with {bad} values that are NaN or infinite"
    return f" with values from {images.min()} to {images.max()}"


def _not_finite(images: AnyArray) -> int:
    return int(np.count_nonzero(~np.isfinite(images))) if images.dtype.kind == "f" else 0


def _conversion(images: AnyArray) -> str:
    """Say what to do with images of another type than uint8, by the values that they hold."""
    if images.dtype.kind == "b":
        return "If True is white, convert them with images.astype(numpy.uint8) * 255."
    if images.dtype.kind not in "iuf" or images.size == 0:
        return "Save them again as an array of bytes."
    if _not_finite(images):
        return "Find out why and repair or leave out those images, then convert the rest to bytes."
    low, high = images.min(), images.max()
    if images.dtype.kind == "f" and low >= 0 and high <= 1:
        return "If 1 is white, convert them with (images * 255).round().astype(numpy.uint8)."
    if low >= 0 and high <= 255:
        return f"Convert them with images{'.round()' if images.dtype.kind == 'f' else ''}.astype(numpy.uint8)."
    if images.dtype == np.uint16:
        return "If 65535 is white, convert them with (images >> 8).astype(numpy.uint8)."
    return (
        "Undo their normalisation: with low for black and high for white, convert them with "
        "((images - low) / (high - low) * 255).round().astype(numpy.uint8)."
    )


def _pick(path: Path, arrays: dict[str, AnyArray | None], keys: tuple[str, ...]) -> AnyArray | None:
    found = [key for key in keys if key in arrays]
    if len(found) > 1:
        raise InvalidInput(f"{path} has both {found[0]!r} and {found[1]!r}; keep one of the two.")
    return arrays[found[0]] if found else None


def _checked_labels(path: Path, labels: AnyArray | None) -> IntArray | None:
    if labels is None:
        return None
    if labels.size == 0:
        raise InvalidInput(f"{path} holds no labels, and so no labelled image; name a file that holds images.")
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


def _checked_tracks(path: Path, tracks: AnyArray | None) -> IntArray | None:
    if tracks is None:
        return None
    if tracks.dtype.kind not in "iu" or tracks.ndim != 1:
        raise InvalidInput(
            f"{path} has 'track' of dtype {tracks.dtype} and shape {tracks.shape}; the number of each image's video "
            "track is needed, or another name for it."
        )
    return tracks.astype(np.int64)
