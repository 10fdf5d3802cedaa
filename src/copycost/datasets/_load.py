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
from copycost.datasets._folder import read_folder
from copycost.datasets._listing import list_folder, shown
from copycost.datasets._registry import SOURCES
from copycost.datasets._transform import Transform
from copycost.errors import InvalidInput

_SLICE = re.compile(r"(?P<body>.*?)\[(?P<inside>[^\[\]]*)\]")
_BOUNDS = re.compile(r"\s*(?P<start>\d{0,18})\s*:\s*(?P<stop>\d{0,18})\s*")


def load(
    text: str,
    *,
    data_dir: Path | None = None,
    download: bool = True,
    transform: Transform | None = None,
    skip_bad: bool = False,
) -> Dataset:
    """Load the data set that ``text`` names.

    Parameters
    ----------
    text : str
        ``NAME:SPLIT`` of a public set (`SOURCES` lists them: ``mnist:train``, ``usps:test``), ``embedded``,
        the path of an array file, ``.npz`` (keys ``images`` or ``x``, and ``labels`` or ``y`` if known)
        or ``.npy``, or the path of a folder of images; folders inside it are its classes. A slice may follow:
        ``mnist:train[:10000]``, ``photos[500:600]``; of a folder it counts files, bad ones too.
    data_dir : Path, optional
        Folder of the public sets; else the environment variable COPYCOST_DATA, else ~/.cache/copycost.
    download : bool
        Whether to fetch what the folder lacks.
    transform : Transform, optional
        How every image is changed; by default not at all.
    skip_bad : bool
        Whether files of a folder that are not images, or are damaged, are left out and counted instead of refused.

    Returns
    -------
    Dataset
        Images, uint8, with their labels where there are any. Its name is ``text``.

    Raises
    ------
    InvalidInput
        If the text is not understood, the slice is empty or out of range, a file is damaged, the images of a folder
        differ in size, or the images would not fit into memory.
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
    transform = transform or Transform()
    if _is_folder(wanted.body):
        listing = list_folder(_path(wanted.body))
        if wanted.whole:
            return read_folder(listing, wanted.text, transform=transform, skip_bad=skip_bad)
        part = listing.part(*wanted.bounds(len(listing)))
        return read_folder(part, wanted.text, transform=transform, skip_bad=skip_bad)
    found = replace(_read(wanted, data_dir, download), name=wanted.text)
    if not wanted.whole:
        found = found.take(np.arange(*wanted.bounds(len(found))))
    return replace(found, inputs=transform(found.inputs))


@dataclass(frozen=True)
class _Wanted:
    text: str
    body: str
    start: int | None = None
    stop: int | None = None

    @property
    def whole(self) -> bool:
        return self.start is None and self.stop is None

    def bounds(self, n: int) -> tuple[int, int]:
        """Return where the slice begins and ends in a set of n."""
        start, stop = self.start or 0, n if self.stop is None else self.stop
        if not 0 <= start < stop <= n:
            raise InvalidInput(
                f"{self.text!r} asks for images {start} to {stop} of {n}; a slice [start:stop] needs start < stop <= "
                f"{n}."
            )
        return start, stop


def _path(text: str) -> Path:
    # os.path leaves "~nobody" as it is, where Path.expanduser raises.
    return Path(os.path.expanduser(text))


def _is_folder(body: str) -> bool:
    """Whether a text names a folder; the names of public sets go first, and ``./mnist`` is the folder."""
    return bool(body) and body.partition(":")[0] not in SOURCES and os.path.isdir(_path(body))


def _parse(text: str) -> _Wanted:
    text = text.strip()
    sliced = _SLICE.fullmatch(text)
    if sliced is None or text.endswith(SUFFIXES) or _is_folder(text):
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
        return read_array_file(_path(wanted.body))
    name, colon, split = wanted.body.partition(":")
    if name not in SOURCES:
        raise InvalidInput(_unknown(wanted, name))
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


def _unknown(wanted: _Wanted, name: str) -> str:
    path = _path(wanted.body)
    if os.path.isfile(path):
        return (
            f"{shown(path)} is a file of a kind that is not read; give a .npz or .npy file, or the folder that the "
            "images lie in."
        )
    if "/" in wanted.body or wanted.body.startswith(("~", ".")):
        return (
            f"there is no folder {shown(path)}; give the path of a folder of images, or of a .npz or .npy file; a "
            f"relative one starts at {Path.cwd()}."
        )
    return (
        f"there is no data set {name!r} (in {wanted.text!r}){_nearest(name, tuple(SOURCES))}; known are "
        f"{', '.join(SOURCES)}, and the paths of .npz and .npy files and of folders of images."
    )


def _nearest(word: str, known: tuple[str, ...]) -> str:
    match = difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.5)
    return f": did you mean {match[0]!r}?" if match else ""


def data_folder(data_dir: Path | None) -> Path:
    """Return the folder of the public sets: the argument, else COPYCOST_DATA, else ~/.cache/copycost."""
    if data_dir is not None:
        return Path(data_dir).expanduser()
    named = os.environ.get("COPYCOST_DATA")
    return Path(named).expanduser() if named else Path.home() / ".cache" / "copycost"
