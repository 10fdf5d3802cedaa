"""Results that depend on the pool alone, computed once and shared by every cell of an audit.

Each is one ``.npy`` file under a name made from what it depends on, written whole or not at all, and read as
a memory map, so that processes share its pages.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import numpy as np

from copycost._types import AnyArray
from copycost.errors import InvalidInput

__all__ = ["Memo"]


class Memo:
    """A folder of computed arrays; with no folder, nothing is kept.

    Parameters
    ----------
    folder : where arrays are kept, or None
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    def array(self, key: tuple[object, ...], compute: Callable[[], AnyArray]) -> AnyArray:
        """Return the array named by ``key``; of several processes that ask at once, one computes it.

        Raises
        ------
        InvalidInput
            If the folder cannot be written to.
        """
        if self._folder is None:
            return compute()
        name = hashlib.sha256(repr(key).encode()).hexdigest()[:32]
        path = self._folder / f"{name}.npy"
        if not path.exists():
            with self._lock(self._folder, name) as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if not path.exists():
                    self._write(path, compute())
        loaded: AnyArray = np.load(path, mmap_mode="r", allow_pickle=False)
        return loaded

    def _lock(self, folder: Path, name: str) -> IO[str]:
        with _errors_named(folder):
            folder.mkdir(parents=True, exist_ok=True)
            return open(folder / f"{name}.lock", "w")

    def _write(self, path: Path, array: AnyArray) -> None:
        part = path.with_suffix(".part")
        with _errors_named(path.parent):
            with open(part, "wb") as file:
                np.save(file, array, allow_pickle=False)
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, path)


@contextlib.contextmanager
def _errors_named(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InvalidInput(
            f"the folder {folder}, where arrays are kept, cannot be written to ({error.strerror}); make "
            "room or choose another folder."
        ) from error
