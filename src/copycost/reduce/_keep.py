"""Reading which images must be in a reduced set."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from copycost._types import IntArray
from copycost.errors import InvalidInput
from copycost.reduce._pool import Pool

__all__ = ["read_keep"]


def read_keep(path: Path, pool: Pool) -> IntArray:
    """Return the images that a file names, in its order, each once.

    Parameters
    ----------
    path : Path
        One image a line: its file below the pool's folder, or its index. A ``.csv`` file as written by a reduction
        may be given as well; its column ``index`` is read, or ``file`` where the pool is a folder.
    pool : Pool

    Raises
    ------
    InvalidInput
        If the file cannot be read, names nothing, or names what is not in the pool.
    """
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            lines = _column(path, list(csv.DictReader(file)), pool) if path.suffix == ".csv" else _lines(file.read())
    except (OSError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise InvalidInput(
            f"the list of images to keep, {path}, cannot be read ({reason}); name a text file."
        ) from None
    if not lines:
        raise InvalidInput(f"{path} names no image to keep; give a line for each, or leave --keep out.")
    return np.array(list(dict.fromkeys(_index(path, line, pool) for line in lines)), dtype=np.int64)


def _lines(text: str) -> list[str]:
    return [line.rstrip("\r") for line in text.split("\n") if line.strip()]


def _column(path: Path, rows: list[dict[str, str]], pool: Pool) -> list[str]:
    column = "file" if pool.data.files else "index"
    if rows and column not in rows[0]:
        raise InvalidInput(f"{path} has no column {column!r}; write a table with one, or a text file with a line each.")
    return [row[column] or "" for row in rows]


def _index(path: Path, line: str, pool: Pool) -> int:
    if line in pool.by_file:
        return pool.by_file[line]
    word = line.strip()
    if word.isascii() and word.isdigit() and int(word[:19]) < len(pool):
        return int(word)
    allowed = "a file below its folder or " if pool.data.files else ""
    raise InvalidInput(
        f"{path} names {line!r}, which is not in {pool.data.name}; give {allowed}an index from 0 to {len(pool) - 1}."
    )
