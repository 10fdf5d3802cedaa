"""From the text a user writes to a data set."""

from __future__ import annotations

import difflib
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from copycost.datasets._dataset import Dataset
from copycost.datasets._files import SUFFIXES, read_array_file
from copycost.datasets._registry import SOURCES
from copycost.errors import InvalidInput

_SLICE = re.compile(r"(?P<body>.*?)\[(?P<inside>[^\[\]]*)\]")
_BOUNDS = re.compile(r"\s*(?P<start>\d{0,18})\s*:\s*(?P<stop>\d{0,18})\s*")


def load(text: str, *, data_dir: Path | None = None, download: bool = True) -> Dataset:
    """Load the data set that ``text`` names.

    Parameters
    ----------
    text : str
        ``NAME:SPLIT`` of a public set (`SOURCES` lists them: ``mnist:train``, ``usps:test``), ``embedded``,
        or the path of an array file, ``.npz`` (keys ``images`` or ``x``, and ``labels`` or ``y`` if known)
        or ``.npy``. A slice may follow: ``mnist:train[:10000]``, ``mnist:test[500:600]``.
    data_dir : Path, optional
        Folder of the public sets; else the environment variable COPYCOST_DATA, else ~/.cache/copycost.
    download : bool
        Whether to fetch what the folder lacks.

    Returns
    -------
    Dataset
        Images as stored, uint8, with their labels where there are any. Its name is ``text``.

    Raises
    ------
    InvalidInput
        If the text is not understood, the slice is empty or out of range, or a file is damaged.
    MissingData
        If a public set is not in the folder and could not be fetched.
    MissingExtra
        If a package that it needs is not installed.

    Examples
    --------
    >>> load("embedded[:3]").inputs
    Images(n=3, 28x28x1)
    """
    wanted = _parse(text)
    whole = _read(wanted, data_dir, download)
    if wanted.start is None and wanted.stop is None:
        return replace(whole, name=wanted.text)
    start, stop = wanted.start or 0, len(whole) if wanted.stop is None else wanted.stop
    if not 0 <= start < stop <= len(whole):
        raise InvalidInput(
            f"{wanted.text!r} asks for images {start} to {stop} of {len(whole)}; a slice [start:stop] "
            f"needs start < stop <= {len(whole)}."
        )
    return whole.take(np.arange(start, stop), wanted.text)


@dataclass(frozen=True)
class _Wanted:
    text: str
    body: str
    start: int | None = None
    stop: int | None = None


def _parse(text: str) -> _Wanted:
    text = text.strip()
    sliced = _SLICE.fullmatch(text)
    if sliced is None or text.endswith(SUFFIXES):
        return _Wanted(text, text)
    bounds = _BOUNDS.fullmatch(sliced["inside"])
    if bounds is None:
        raise InvalidInput(
            f"{text!r} ends in [{sliced['inside']}]; a slice is [start:stop] with whole numbers from 0, "
            "such as [:1000] or [500:600], without a step and without negative numbers."
        )
    start, stop = (int(bounds[end]) if bounds[end] else None for end in ("start", "stop"))
    return _Wanted(text, sliced["body"], start, stop)


def _read(wanted: _Wanted, data_dir: Path | None, download: bool) -> Dataset:
    if wanted.body.endswith(SUFFIXES):
        return read_array_file(Path(wanted.body).expanduser())
    name, colon, split = wanted.body.partition(":")
    if name not in SOURCES:
        raise InvalidInput(
            f"there is no data set {name!r} (in {wanted.text!r}){_nearest(name, tuple(SOURCES))}; known "
            f"are {', '.join(SOURCES)}, and the paths of .npz and .npy files."
        )
    source = SOURCES[name]
    if not source.splits and colon:
        raise InvalidInput(
            f"{wanted.text!r} names a split, but {name} has none; write {name!r} or {name + '[:100]'!r}."
        )
    if source.splits and split not in source.splits:
        raise InvalidInput(
            f"{wanted.text!r} names the split {split!r}{_nearest(split, source.splits)}; {name} has "
            f"{' and '.join(f'{name}:{known}' for known in source.splits)}."
        )
    return source.read(split, data_folder(data_dir), download)


def _nearest(word: str, known: tuple[str, ...]) -> str:
    match = difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.5)
    return f": did you mean {match[0]!r}?" if match else ""


def data_folder(data_dir: Path | None) -> Path:
    """Return the folder of the public sets: the argument, else COPYCOST_DATA, else ~/.cache/copycost."""
    if data_dir is not None:
        return Path(data_dir).expanduser()
    named = os.environ.get("COPYCOST_DATA")
    return Path(named).expanduser() if named else Path.home() / ".cache" / "copycost"
