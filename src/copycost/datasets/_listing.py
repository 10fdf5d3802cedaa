"""Which files of a folder are its images, in which order, and of which class."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from copycost._types import IntArray
from copycost.errors import InvalidInput

NO_CLASS = "it lies beside the class folders, so it has no class"


@dataclass(frozen=True)
class Listing:
    """The files of a folder.

    Attributes
    ----------
    root : Path
        The folder.
    files : tuple of str
        Paths below it, with ``/``, in the order of their bytes; hidden ones are left out.
    classes : tuple of str
        Names of the class folders in the order of their bytes; empty for a flat folder.
    problems : dict
        Why a file cannot be an image, where that is known without opening it.
    hidden : int
        How many files and folders were left out because their name begins with a dot.
    numbers : dict or None
        The class of each file, where its folder does not tell.
    formats : tuple of str
        Pillow's names of the kinds of file to be read; empty for those of any folder.
    """

    root: Path
    files: tuple[str, ...]
    classes: tuple[str, ...] = ()
    problems: dict[str, str] = field(default_factory=dict)
    hidden: int = 0
    numbers: dict[str, int] | None = None
    formats: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return the number of files."""
        return len(self.files)

    def take(self, rows: Sequence[int]) -> Listing:
        """Return the listing of some of the files, in the order of ``rows``."""
        return replace(self, files=tuple(self.files[row] for row in rows))

    def labels(self, files: list[str]) -> IntArray | None:
        """Return the number of each file's class, or None for a flat folder."""
        if not self.classes:
            return None
        if self.numbers is not None:
            return np.array([self.numbers[file] for file in files], dtype=np.int64)
        number = {name: label for label, name in enumerate(self.classes)}
        return np.array([number[file.partition("/")[0]] for file in files], dtype=np.int64)


def list_folder(root: Path, *, labelled: bool = True) -> Listing:
    """List a folder of images; where it has folders inside, each of these is a class, however deep its files lie.

    Without ``labelled``, folders inside are no classes: all files below count, and a single folder will do.

    Raises
    ------
    InvalidInput
        If the folder cannot be read, a link leaves it or leads to a folder, there is a single class folder, or the
        name of one is not text.
    """
    files, folders, problems, hidden = [], [], {}, 0
    for entry, place in _walk(root):
        if entry.name.startswith("."):
            hidden += 1
        elif entry.is_dir(follow_symlinks=False):
            folders.append(place)
        else:
            files.append(place)
            if entry.is_symlink():
                _check_link(root, entry, place)
            if not entry.is_file():
                problems[place] = "it is not a regular file"
    inside = (name for name in folders if "/" not in name) if labelled else ()
    classes = tuple(sorted(inside, key=os.fsencode))
    _check_classes(root, classes)
    if classes:
        problems |= {file: NO_CLASS for file in files if "/" not in file}
    return Listing(root, tuple(sorted(files, key=os.fsencode)), classes, problems, hidden)


def shown(path: str | Path) -> str:
    """Return a path as text that any terminal and any record can hold."""
    text = str(path).encode("utf-8", "backslashreplace").decode()
    return text if text.isprintable() else ascii(text)


def _walk(root: Path) -> Iterator[tuple[os.DirEntry[str], str]]:
    """Give every entry below a folder with its path from there; links are given and not followed."""
    pending = [""]
    while pending:
        folder = pending.pop()
        try:
            with os.scandir(root / folder) as entries:
                for entry in entries:
                    place = f"{folder}/{entry.name}" if folder else entry.name
                    if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
                        pending.append(place)
                    yield entry, place
        except OSError as error:
            raise InvalidInput(
                f"the folder {shown(root / folder)} cannot be read ({error.strerror}); make it readable or name "
                "another."
            ) from error


def _check_link(root: Path, entry: os.DirEntry[str], place: str) -> None:
    """Refuse links that leave the folder, and links to folders, which could turn in circles."""
    try:
        inside = Path(entry.path).resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError):  # a link to itself
        inside = False
    if not inside or entry.is_dir():
        why = "leads to a folder" if inside else "leads out of the folder"
        raise InvalidInput(
            f"{shown(root / place)} is a link that {why}; only what lies in the folder itself is read: put a copy in "
            "its place, or take the link away."
        )


def _check_classes(root: Path, classes: tuple[str, ...]) -> None:
    for name in classes:
        if not _is_text(name):
            raise InvalidInput(
                f"the class folder {shown(root / name)} has a name that is not UTF-8 text; give it another."
            )
    if len(classes) == 1:
        raise InvalidInput(
            f"{shown(root)} holds a single folder, {classes[0]!r}, so that every image would be of one class; name "
            f"{shown(root / classes[0])} itself if its images are not labelled, or add the folders of the other "
            "classes (an empty one will do)."
        )


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
