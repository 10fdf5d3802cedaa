"""A similarity on disk: a Zarr array written tile by tile, with a record of the tiles that are finished.

The array is filled with NaN, so that a tile that was never written cannot pass for zeros, which Zarr leaves out.
A tile is entered in the record once both its mirror images are written; whatever a killed run left half done is
not in the record and is computed again. The array's attributes name the images and the kernel's version.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import importlib
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from copycost._types import AnyArray, ByteArray, Float32Array, IntArray
from copycost.errors import CopycostError, InvalidInput, MissingExtra
from copycost.similarity._contract import Similarity
from copycost.similarity._lanes import LANES
from copycost.similarity._levels import as_pixels
from copycost.similarity._pairs import KERNEL_VERSION, between
from copycost.similarity._tiles import Tiled, common_level, part, tile

__all__ = ["Chunked"]

_RECORD = "finished.txt"
_SIDE = 1024
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Chunked(Similarity):
    """The mutual information of a set of images in a Zarr store on disk, in nats.

    Parameters
    ----------
    path : path
        The folder of a store that `Chunked.build` has finished.

    Raises
    ------
    InvalidInput
        If there is no such store, it is unfinished, or it was written by another version of the kernel.
    MissingExtra
        If Zarr is not installed.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        array = _open(self._path, "r")
        _check_origin(self._path, array, None)
        left = len(set(_upper_tiles(_bands(array.shape[0], _side(array)))) - _finished(self._path))
        if left:
            raise InvalidInput(
                f"the store {self._path} lacks {left} tiles; "
                "finish it with Chunked.build on the same images, which goes on where it stopped."
            )
        self._array = array

    @classmethod
    def build(
        cls,
        images: AnyArray | Sequence[AnyArray],
        path: str | Path,
        *,
        levels: int | None = None,
        side: int = _SIDE,
        progress: Callable[[float], None] | None = None,
    ) -> Chunked:
        """Write the matrix of ``images`` to ``path``, or go on where an earlier run on them was stopped.

        Parameters
        ----------
        images, levels, progress
            As for `mutual_information`.
        path : path
            A folder that does not exist or is empty, or a store of the same images: 4 n^2 bytes when finished.
        side : int
            Images a side of the tiles in which the work is done and recorded, a multiple of 64; an existing
            store keeps its own.

        Raises
        ------
        InvalidInput
            As `mutual_information`; or if ``path`` holds anything else than a store of the same images by the same
            version of the kernel, is being written by another process, or has too little space.
        CopycostError
            If the space runs out on the way; finished tiles are kept.
        MissingExtra
            If Zarr is not installed.
        """
        pixels, path = as_pixels(images, levels), Path(path)
        if side < LANES or side % LANES:
            raise InvalidInput(f"side is {side}; a positive multiple of {LANES} is needed.")
        array = _created_or_opened(path, pixels, side)
        with _recording(path) as record:
            _fill(array, pixels, path, record, progress or (lambda share: None))
        return cls(path)

    @property
    def n(self) -> int:
        """The number of images."""
        return int(self._array.shape[0])

    @property
    def digest(self) -> str:
        """The SHA-256 of the images' levels, which names what the store was computed from."""
        return str(self._array.attrs["copycost"]["images"])

    def _block(self, rows: IntArray, columns: IntArray | None) -> Float32Array:
        across = slice(None) if columns is None else columns
        if len(rows) == 0 or (columns is not None and len(columns) == 0):
            return np.empty((len(rows), self.n if columns is None else len(columns)), dtype=np.float32)
        block: Float32Array = self._array.oindex[rows, across]
        if np.isnan(block).any():
            raise CopycostError(
                f"the store {self._path} has lost values that it once held; delete it and build it again."
            )
        return block


def _fill(array: Any, pixels: ByteArray, path: Path, record: IO[str], progress: Callable[[float], None]) -> None:
    side = _side(array)
    finished = _finished(path)
    wanted = _upper_tiles(_bands(len(pixels), side))
    missing = [pair for pair in wanted if pair not in finished]
    _check_space(path, len(missing) * 8 * side**2)
    progress(len(finished) / len(wanted))
    if not missing:
        return
    tiled = tile(pixels, common_level(pixels))
    for done, (i, j) in enumerate(missing, len(finished) + 1):
        try:
            _write_tile(array, tiled, side, i, j)
            record.write(f"{i} {j}\n")
            record.flush()
        except OSError as error:
            raise _no_room(path, error) from error
        progress(done / len(wanted))


def _write_tile(array: Any, tiled: Tiled, side: int, i: int, j: int) -> None:
    values = between(_band(tiled, side, i), _band(tiled, side, j))
    top, left = i * side, j * side
    array[top : top + values.shape[0], left : left + values.shape[1]] = values
    if i != j:
        array[left : left + values.shape[1], top : top + values.shape[0]] = values.T


def _band(tiled: Tiled, side: int, index: int) -> Tiled:
    return part(tiled, index * side // LANES, (index + 1) * side // LANES)


def _bands(n: int, side: int) -> int:
    return -(-n // side)


def _upper_tiles(bands: int) -> list[tuple[int, int]]:
    return [(i, j) for i in range(bands) for j in range(i, bands)]


def _created_or_opened(path: Path, pixels: ByteArray, side: int) -> Any:
    whole = hashlib.sha256(repr(pixels.shape).encode())
    whole.update(pixels.data)
    digest = whole.hexdigest()
    if path.exists() and not _is_blank(path):
        array = _open(path, "r+")
        _check_origin(path, array, digest)
        return array
    zarr, n = _zarr(), len(pixels)
    bands = _bands(n, side)
    _check_space(path, 4 * bands * (bands + 1) * side**2)
    origin = {"measure": "mutual information", "images": digest, "kernel": KERNEL_VERSION, "side": side}
    return zarr.create_array(
        store=str(path),
        shape=(n, n),
        chunks=(max(LANES, side // 4), side),
        dtype="float32",
        fill_value=float("nan"),
        compressors=None,
        attributes={"copycost": origin},
    )


def _is_blank(path: Path) -> bool:
    """Tell whether ``path`` is an empty folder, or one in which a run was killed as it wrote the first file."""
    return path.is_dir() and all(
        child.name != "zarr.json" and child.name.startswith("zarr.json") for child in path.iterdir()
    )


def _open(path: Path, mode: str) -> Any:
    if not (path / "zarr.json").is_file():
        raise InvalidInput(
            f"{path} is no store of similarities; give the folder of one, or an empty or new folder to build in."
        )
    try:
        return _zarr().open_array(str(path), mode=mode)
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise InvalidInput(f"{path} cannot be read as a Zarr array ({error}); delete it and build again.") from error


def _check_origin(path: Path, array: Any, digest: str | None) -> None:
    """Raise unless the store is one of ours, of this version of the kernel and, if given, of these images."""
    origin = array.attrs.get("copycost")
    if not isinstance(origin, dict) or origin.get("measure") != "mutual information":
        raise InvalidInput(f"{path} is a Zarr array, but not one that copycost wrote; choose another folder.")
    if origin["kernel"] != KERNEL_VERSION:
        raise InvalidInput(
            f"the store {path} was written by version {origin['kernel']} of the kernel and this is version "
            f"{KERNEL_VERSION}; delete it and build it again, or choose another folder."
        )
    if digest is not None and origin["images"] != digest:
        raise InvalidInput(
            f"the store {path} holds other images (SHA-256 {origin['images'][:12]}..., not {digest[:12]}...); "
            "choose another folder, or delete the store if it is no longer needed."
        )


def _side(array: Any) -> int:
    return int(array.attrs["copycost"]["side"])


def _finished(path: Path) -> set[tuple[int, int]]:
    """Return the tiles in the record; a last line without its end was cut off by a kill and does not count."""
    record = path / _RECORD
    text = record.read_text() if record.exists() else ""
    return {(int(i), int(j)) for i, j in re.findall(r"^(\d+) (\d+)\n", text, re.MULTILINE)}


@contextmanager
def _recording(path: Path) -> Iterator[IO[str]]:
    """Open the record to append to it, cut off an unfinished last line, and keep other processes out."""
    with (path / _RECORD).open("a+") as record:
        try:
            fcntl.flock(record, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InvalidInput(
                f"the store {path} is being written by another process; wait for it, or choose another folder."
            ) from error
        record.seek(0)
        text = record.read()
        if not text.endswith("\n"):
            record.truncate(text.rfind("\n") + 1)
        yield record


def _check_space(path: Path, needed: int) -> None:
    existing = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    if needed > free:
        raise InvalidInput(
            f"{path} has {free / 1e9:.1f} GB of free space and the matrix needs {needed / 1e9:.1f} GB more; free "
            "some, choose another folder, or use OnDemand, which needs no matrix."
        )


def _no_room(path: Path, error: OSError) -> CopycostError:
    if error.errno in _NO_ROOM:
        return CopycostError(
            f"no space is left for the store {path} ({error.strerror}); finished tiles are kept: "
            "free some space and run the same again."
        )
    return CopycostError(f"the store {path} cannot be written ({error}); finished tiles are kept.")


def _zarr() -> Any:
    try:
        return importlib.import_module("zarr")
    except ImportError as error:
        raise MissingExtra(
            "similarities on disk need Zarr 3, which is not installed; run: pip install 'copycost[store]'"
        ) from error
