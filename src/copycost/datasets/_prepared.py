"""A named set in a file of copycost's own layout, ``<data>/<name>/<split>.npz``, ``.csv`` or ``.txt``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from copycost.datasets._dataset import Dataset
from copycost.datasets._files import read_array_file
from copycost.datasets._text_files import read_lines, read_table
from copycost.errors import InvalidInput

ENDINGS = {"image": (".npz",), "text": (".csv", ".txt")}


def prepared_file(name: str, split: str, medium: str, data_dir: Path) -> Path | None:
    """Return the file that a set was prepared in, or None where there is none.

    Raises
    ------
    InvalidInput
        If there are two.
    """
    found = [path for ending in ENDINGS[medium] if (path := data_dir / name / f"{split}{ending}").is_file()]
    if len(found) > 1:
        raise InvalidInput(f"there are both {found[0]} and {found[1].name}; keep one of the two.")
    return found[0] if found else None


def read_prepared(path: Path, classes: tuple[str, ...]) -> Dataset:
    """Read a prepared set, whose labels number ``classes`` where these are known."""
    if path.suffix == ".csv":
        found, _ = read_table(path, classes=classes)
    elif path.suffix == ".txt":
        found, _ = read_lines(path)
    else:
        found = read_array_file(path)
    assert found is not None
    if found.labels is None or not classes or found.classes == classes:
        return found
    most = int(np.max(found.labels))
    if most >= len(classes):
        raise InvalidInput(f"{path} has the label {most}; this set has {len(classes)} classes, numbered from 0.")
    return replace(found, classes=classes, named=True)
