"""From the text a user writes to a data set."""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from copycost.datasets._dataset import Dataset
from copycost.datasets._files import SUFFIXES as ARRAY_FILES
from copycost.datasets._files import read_array_file
from copycost.datasets._folder import read_folder
from copycost.datasets._hub import PREFIX, read_hub
from copycost.datasets._listing import Listing, list_folder, shown
from copycost.datasets._prepared import ENDINGS, prepared_file, read_prepared
from copycost.datasets._registry import SOURCES, Source
from copycost.datasets._text_files import SUFFIXES as TEXT_FILES
from copycost.datasets._text_files import read_lines, read_table
from copycost.datasets._transform import Transform
from copycost.datasets._wanted import Draw, Wanted, is_folder, parse, path_of
from copycost.errors import InvalidInput, MissingData
from copycost.inputs import Images


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
        ``NAME:SPLIT`` of a public set (`SOURCES` lists them: ``mnist:train``, ``trec:test``), ``embedded``,
        the path of an array file, ``.npz`` (keys ``images`` or ``x``, and ``labels`` or ``y`` if known)
        or ``.npy``, of a file of texts, ``.txt`` (one a line) or ``.csv`` (columns ``text`` and, if known, ``label``),
        of a folder of images, whose folders are its classes, or ``hf:OWNER/NAME[/CONFIG]:SPLIT`` of the Hugging Face
        Hub. A slice may follow: ``mnist:train[:10000]``, ``photos[500:600]``, or a number to be drawn at random, the
        same ones for every audit: ``photos[500 drawn]``, ``photos[500 drawn seed=1]``; of a folder both count files,
        bad ones too. ``unlabelled:`` before any of these leaves its labels out.
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
        Images, uint8, or texts, with their labels where there are any. Its name is ``text``.

    Raises
    ------
    InvalidInput
        If the text is not understood, the slice is empty or out of range, a file is damaged, the images of a folder
        differ in size, texts are to be transformed, or the set would not fit into memory.
    MissingData
        If a public set is not in the folder and could not be fetched.
    MissingExtra
        If a package that it needs is not installed.

    Examples
    --------
    >>> load("embedded[:3]").inputs
    Images(n=3, 28x28x1)
    >>> load("unlabelled:embedded").labels is None
    True
    """
    wanted = parse(text)
    request = _Request(data_folder(data_dir), download, transform or Transform(), skip_bad)
    found = replace(_find(wanted, request), name=wanted.text)
    return found if wanted.labelled else found.unlabelled()


@dataclass(frozen=True)
class _Request:
    data_dir: Path
    download: bool
    transform: Transform
    skip_bad: bool


def _find(wanted: Wanted, request: _Request) -> Dataset:
    """Return the inputs that are wanted, changed as they are to be."""
    if is_folder(wanted.body):
        listing = list_folder(path_of(wanted.body), labelled=wanted.labelled)
        return _from_listing(listing, wanted, request, request.transform)
    if wanted.body.endswith(ARRAY_FILES):
        return _part(read_array_file(path_of(wanted.body)), wanted, request)
    if wanted.body.endswith(TEXT_FILES):
        read = read_lines if wanted.body.endswith(".txt") else read_table
        part, count = read(path_of(wanted.body), *wanted.ends)
        return _counted(part, wanted.rows(count, "text"), wanted, request)
    if wanted.body.startswith(PREFIX):
        found = read_hub(
            wanted.body,
            request.data_dir,
            request.download,
            transform=request.transform,
            rows=lambda count: wanted.rows(count, "input"),
            labelled=wanted.labelled,
        )
        return found if found.medium == "image" else _transformed(replace(found, name=wanted.text), request.transform)
    return _from_source(wanted, request)


def _from_source(wanted: Wanted, request: _Request) -> Dataset:
    name, split = _named_source(wanted)
    source = SOURCES[name]
    path = prepared_file(name, split, source.medium, request.data_dir) if split else None
    if path is not None:
        return _part(read_prepared(path, source.classes), wanted, request)
    found = _fetched(source, name, split, request)
    if isinstance(found, Dataset):
        return _part(found, wanted, request)
    if source.transform is None:
        return _from_listing(found, wanted, request, request.transform)
    return _transformed(_from_listing(found, wanted, request, source.transform), request.transform)


def _fetched(source: Source, name: str, split: str, request: _Request) -> Dataset | Listing:
    try:
        return source.read(split, request.data_dir, request.download)
    except MissingData as error:
        if not split:
            raise
        places = " or ".join(f"{split}{ending}" for ending in ENDINGS[source.medium])
        raise MissingData(
            f"{error} A copy of your own may be {request.data_dir / name}/{places} (see docs/guide/data.md)."
        ) from error


def _from_listing(listing: Listing, wanted: Wanted, request: _Request, transform: Transform) -> Dataset:
    part = listing if wanted.whole else listing.take(wanted.rows(len(listing), "image"))
    return read_folder(part, wanted.text, transform=transform, skip_bad=request.skip_bad)


def _part(whole: Dataset, wanted: Wanted, request: _Request) -> Dataset:
    """Return the part of a set that is wanted, changed as it is to be."""
    whole = replace(whole, name=wanted.text)
    found = whole if wanted.whole else whole.take(wanted.rows(len(whole), whole.medium))
    return _transformed(found, request.transform)


def _counted(part: Dataset | None, rows: Sequence[int], wanted: Wanted, request: _Request) -> Dataset:
    """Return the texts that are wanted, of what was read on account of `Wanted.ends`."""
    assert part is not None  # the rows are some of the file
    found = part.take(rows) if isinstance(wanted.part, Draw) else part
    return _transformed(replace(found, name=wanted.text), request.transform)


def _transformed(found: Dataset, transform: Transform) -> Dataset:
    if isinstance(found.inputs, Images):
        return replace(found, inputs=transform(found.inputs))
    if transform != Transform():
        raise InvalidInput(
            f"transform is {str(transform)!r}, and {found.name} holds texts, which are sent as they are; leave it out."
        )
    return found


def medium_named(text: str) -> str | None:
    """Return "image" or "text" where the text that names a set tells, without reading it; None where it does not.

    Examples
    --------
    >>> medium_named("unlabelled:wikitext2:train[:100]"), medium_named("photos.npz"), medium_named("hf:a/b:train")
    ('text', 'image', None)
    """
    body = parse(text).body
    if body.endswith(TEXT_FILES):
        return "text"
    name = body.partition(":")[0]
    if name in SOURCES:
        return SOURCES[name].medium
    return None if body.startswith(PREFIX) else "image"


def _named_source(wanted: Wanted) -> tuple[str, str]:
    """Return the name and the split of the public set that is wanted."""
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
    return name, split


def _unknown(wanted: Wanted, name: str) -> str:
    path = path_of(wanted.body)
    if os.path.isfile(path):
        return (
            f"{shown(path)} is a file of a kind that is not read; give a .npz or .npy file, the folder that the "
            "images lie in, or a .txt or .csv file of texts."
        )
    if "/" in wanted.body or wanted.body.startswith(("~", ".")):
        return (
            f"there is no folder {shown(path)}; give the path of a folder of images, or of a .npz, .npy, .txt or "
            f".csv file; a relative one starts at {Path.cwd()}."
        )
    return (
        f"there is no data set {name!r} (in {wanted.text!r}){_nearest(name, (*SOURCES, 'unlabelled'))}; known are "
        f"{', '.join(SOURCES)}, and the paths of .npz, .npy, .txt and .csv files and of folders of images."
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
