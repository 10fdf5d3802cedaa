"""GTSRB, the German traffic signs: photographs of different sizes, in the layouts of torchvision and of its authors."""

from __future__ import annotations

import csv
from dataclasses import replace
from functools import partial
from pathlib import Path

from copycost.datasets._fetch import ensure, optional
from copycost.datasets._listing import Listing
from copycost.datasets._text_files import utf8_lines
from copycost.errors import InvalidInput

CLASSES = tuple(str(number) for number in range(43))
LARGEST = (1, 2, 4, 5, 9, 10, 12, 13, 25, 38)  # by the images of Final_Training, at least 1,470 each
LARGEST_CLASSES = tuple(str(number) for number in LARGEST)
_ORIGIN = "https://benchmark.ini.rub.de/gtsrb_dataset.html"
_FORMATS = ("PPM",)


def list_gtsrb(split: str, data_dir: Path, download: bool) -> Listing:
    """List GTSRB below ``gtsrb``, where torchvision keeps it, with its 43 classes.

    The training part is ``GTSRB/Final_Training/Images`` where that is there (39,209 images), else
    ``GTSRB/Training`` (the 26,640 that torchvision fetches); the test part is ``GTSRB/Final_Test/Images`` with
    ``GT-final_test.csv`` (12,630).
    """
    base = data_dir / "gtsrb"
    if split == "train":
        whole = base / "GTSRB" / "Final_Training" / "Images"
        root = whole if whole.is_dir() else base / "GTSRB" / "Training"
        _ensure(split, [root], data_dir, download)
        return _listing(root, _in_class_folders(root))
    root, answers = base / "GTSRB" / "Final_Test" / "Images", base / "GT-final_test.csv"
    _ensure(split, [root, answers], data_dir, download)
    return _listing(root, _in_table(answers))


def list_gtsrb10(split: str, data_dir: Path, download: bool) -> Listing:
    """List the ten largest classes of GTSRB, numbered from 0 in the order of their original numbers."""
    whole = list_gtsrb(split, data_dir, download)
    assert whole.numbers is not None
    place = {number: new for new, number in enumerate(LARGEST)}
    numbers = {file: place[number] for file, number in whole.numbers.items() if number in place}
    files = tuple(file for file in whole.files if file in numbers)
    return replace(whole, files=files, classes=LARGEST_CLASSES, numbers=numbers)


def _ensure(split: str, paths: list[Path], data_dir: Path, download: bool) -> None:
    ensure("GTSRB", paths, data_dir, origin=_ORIGIN, download=download, fetch=partial(_fetch, split))


def _fetch(split: str, root: Path) -> None:
    optional("torchvision.datasets").GTSRB(root, split=split, download=True)
    for archive in (root / "gtsrb").glob("*.zip"):
        archive.unlink()


def _listing(root: Path, numbers: dict[str, int]) -> Listing:
    if not numbers:
        raise InvalidInput(f"{root} holds no image of GTSRB; delete it and load the set again.")
    return Listing(root, tuple(numbers), CLASSES, numbers=numbers, formats=_FORMATS)


def _in_class_folders(root: Path) -> dict[str, int]:
    """Return the class of each image, by its path; the tables beside the images are left alone."""
    folders = [(number, root / f"{number:05}") for number in range(len(CLASSES))]
    return {
        f"{folder.name}/{path.name}": number
        for number, folder in folders
        if folder.is_dir()
        for path in sorted(folder.glob("*.ppm"))
    }


def _in_table(path: Path) -> dict[str, int]:
    """Return the class of each test image, from a table of Filename;…;ClassId."""
    rows = csv.DictReader(utf8_lines(path), delimiter=";")
    try:
        found = {str(row["Filename"]): int(row["ClassId"]) for row in rows}
    except (KeyError, TypeError, ValueError, csv.Error):
        found = {"": -1}
    if not all(
        0 <= number < len(CLASSES) and name.endswith(".ppm") and "/" not in name for name, number in found.items()
    ):
        raise InvalidInput(
            f"{path} does not hold rows of Filename;…;ClassId with classes from 0 to {len(CLASSES) - 1}; delete it and "
            "load the set again."
        )
    return found
