"""Writing the chosen images as a list, a table, arrays or a folder."""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from copycost._types import AnyArray, FloatArray, IntArray
from copycost.datasets._fetch import optional
from copycost.errors import InvalidInput
from copycost.reduce._choice import Nearest
from copycost.reduce._pool import Pool
from copycost.similarity import Similarity
from copycost.subsets import normalised

__all__ = ["WRITERS", "check_kind", "write_table"]

_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
_PANEL = 64


def check_kind(kind: str, pool: Pool, link: bool) -> None:
    """Refuse what cannot be written of this pool.

    Raises
    ------
    InvalidInput
    """
    if link and (kind != "folder" or pool.folder is None):
        raise InvalidInput("--link makes links to files, so the pool and the output must be folders; leave it out.")
    if kind == "folder" and pool.folder is None and pool.as_read.shape[2] not in _MODES:
        raise InvalidInput(
            f"images of {pool.as_read.shape[2]} channels cannot be written as PNG files; write .npz instead."
        )
    if kind == "list" and any("\n" in file or "\r" in file for file in pool.data.files):
        raise InvalidInput("a file name holds a line break, which a list cannot hold; write .csv instead.")


def write_table(path: Path, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a CSV file with a line of names first; file names keep their bytes."""
    with path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        writer.writerows(rows)


def _write_list(path: Path, pool: Pool, chosen: IntArray, *_: object) -> None:
    names = "".join(f"{pool.name(index)}\n" for index in chosen.tolist())
    path.write_text(names, encoding="utf-8", errors="surrogateescape", newline="\n")


def _write_csv(path: Path, pool: Pool, chosen: IntArray, nearest: Nearest, similarity: Similarity, link: bool) -> None:
    """Write a line for each chosen image: which other chosen one is most like it, and how many it stands for."""
    others, values = _nearest_other(similarity, chosen)
    stands_for = np.bincount(nearest.index, minlength=len(pool))
    rows = [
        [
            index,
            pool.data.files[index] if pool.data.files else "",
            pool.class_name(index),
            "" if other < 0 else other,
            "" if other < 0 else f"{value:.6f}",
            int(stands_for[index]),
        ]
        for index, other, value in zip(chosen.tolist(), others.tolist(), values.tolist(), strict=True)
    ]
    write_table(path, ("index", "file", "label", "nearest_chosen", "similarity", "stands_for"), rows)


def _nearest_other(similarity: Similarity, chosen: IntArray) -> tuple[IntArray, FloatArray]:
    """Return for each chosen image the most similar other one, -1 where it is alone, and the similarity."""
    view = normalised(similarity)
    others, values = np.full(len(chosen), -1, np.int64), np.zeros(len(chosen))
    for left in range(0, len(chosen) if len(chosen) > 1 else 0, _PANEL):
        rows = np.arange(left, min(left + _PANEL, len(chosen)))
        block = np.array(view.block(chosen[rows], chosen))
        block[np.arange(len(rows)), rows] = -1
        place = block.argmax(axis=1)
        others[rows], values[rows] = chosen[place], block[np.arange(len(rows)), place]
    return others, values


def _write_arrays(path: Path, pool: Pool, chosen: IntArray, *_: object) -> None:
    arrays: dict[str, AnyArray] = {"images": pool.as_read.take(chosen).array, "indices": chosen}
    if pool.data.labels is not None:
        arrays["labels"] = pool.data.labels[chosen]
    with path.open("wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]


def _write_folder(
    path: Path, pool: Pool, chosen: IntArray, nearest: Nearest, similarity: Similarity, link: bool
) -> None:
    path.mkdir()
    if pool.folder is None:
        _write_pictures(path, pool, chosen)
        return
    for name in pool.data.classes:
        (path / name).mkdir(exist_ok=True)
    for index in chosen.tolist():
        source, place = pool.folder / pool.data.files[index], path / pool.data.files[index]
        place.parent.mkdir(parents=True, exist_ok=True)
        if link:
            os.symlink(source.resolve(), place)
        else:
            shutil.copy2(source, place)


def _write_pictures(path: Path, pool: Pool, chosen: IntArray) -> None:
    """Write PNG files named by index, in a folder for each class where labels are known."""
    pillow = optional("PIL.Image")
    digits = len(str(len(pool) - 1))
    mode = _MODES[pool.as_read.shape[2]]
    for index in chosen.tolist():
        pixels = pool.as_read.array[index]
        picture = pillow.fromarray(np.ascontiguousarray(pixels[..., 0] if mode == "L" else pixels))
        folder = path / pool.class_name(index).replace("/", "-")  # Fashion-MNIST has a class T-shirt/top
        folder.mkdir(exist_ok=True)
        picture.save(folder / f"{index:0{digits}}.png")


Writer = Callable[[Path, Pool, IntArray, Nearest, Similarity, bool], None]
WRITERS: dict[str, Writer] = {
    "list": _write_list,
    "table": _write_csv,
    "arrays": _write_arrays,
    "folder": _write_folder,
}
