"""The images to be reduced: as they are, as they are compared, and by which names they are known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from copycost._types import IntArray
from copycost.datasets import Dataset, Transform, images_of, load
from copycost.datasets._fetch import optional
from copycost.datasets._listing import Listing, list_folder
from copycost.datasets._picture import FORMATS, strict_pillow
from copycost.datasets._wanted import is_folder, parse, path_of
from copycost.errors import InvalidInput
from copycost.inputs import Images

__all__ = ["COMPARED_AT", "Pool", "load_pool", "place_of"]

COMPARED_AT = 32  # pixels on the longer side, where no size is given
_GREY_MODES = ("1", "L", "LA", "I", "I;16", "I;16B", "I;16L", "I;16N")


@dataclass(frozen=True, eq=False)
class Pool:
    """A pool to be reduced.

    Attributes
    ----------
    data : Dataset
        The n images as they are compared, with labels and files where there are any.
    as_read : Images
        The images without the change made for comparison; of a folder, as they are compared.
    transform : Transform
        The change.
    folder : Path or None
        The folder that the files lie in.
    """

    data: Dataset
    as_read: Images
    transform: Transform
    folder: Path | None

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.data)

    @property
    def compared(self) -> Images:
        """The images as they are compared."""
        return images_of(self.data)

    def name(self, index: int) -> str:
        """Return the file of an image below the folder, or its index where there are no files."""
        return self.data.files[index] if self.data.files else str(index)

    def class_name(self, index: int) -> str:
        """Return the name of an image's class, empty where it is not known."""
        labels = self.data.labels
        return "" if labels is None else self.data.classes[int(labels[index])]

    @cached_property
    def by_file(self) -> dict[str, int]:
        """The index of each file."""
        return {file: index for index, file in enumerate(self.data.files)}

    def group_sizes(self, by_label: bool) -> IntArray:
        """Return the sizes of the groups that are chosen from.

        Raises
        ------
        InvalidInput
            If there are to be groups by label, and the pool has no labels.
        """
        if not by_label:
            return np.array([len(self)])
        if self.data.labels is None:
            raise InvalidInput(
                f"{self.data.name} has no labels, which --by-label needs; put the images of each class into a folder "
                "of its own, add 'labels' to the .npz file, or leave --by-label out."
            )
        return np.unique(self.data.labels, return_counts=True)[1]

    def constant(self) -> int:
        """Return how many images are of one level alone as they are compared, in all their channels."""
        pixels = self.compared.array.reshape(len(self), -1)
        return int((pixels.min(axis=1) == pixels.max(axis=1)).sum())

    def comparison(self) -> str:
        """Say at what size and in which colours the images are compared."""
        height, width, channels = self.compared.shape
        colours = {1: "grey", 3: "colour"}.get(channels, f"{channels} channels")
        change = f" ({self.transform})" if str(self.transform) else " (as they are)"
        return f"compared at {height} x {width}, {colours}{change}"


def place_of(text: str) -> Path | None:
    """Return the file or folder that the text of a data set names, or None for a named set."""
    body = parse(text).body
    return path_of(body) if is_folder(body) or path_of(body).is_file() else None


def _folder_of(text: str) -> Path | None:
    """Return the folder that the text of a pool names, or None where it names something else."""
    wanted = parse(text)
    return path_of(wanted.body) if is_folder(wanted.body) else None


def load_pool(
    text: str, *, transform: Transform | None = None, skip_bad: bool = False, data_dir: Path | None = None
) -> Pool:
    """Load a pool, made smaller for comparison where no size is asked for and it is larger than 32 pixels on a side.

    Parameters
    ----------
    text, skip_bad, data_dir
        As for `copycost.datasets.load`.
    transform : Transform, optional
        What is to be done before images are compared.

    Raises
    ------
    CopycostError
        As `copycost.datasets.load`.
    """
    folder = _folder_of(text)
    if folder is None:
        whole = load(text, data_dir=data_dir)
        images = images_of(whole)
        if transform is None:
            transform = Transform(size=_smaller(*images.shape[:2]))
        return Pool(replace(whole, inputs=transform(images)), images, transform, None)
    if transform is None:
        transform = _for_folder(list_folder(folder, labelled=parse(text).labelled))
    data = load(text, transform=transform, skip_bad=skip_bad)
    return Pool(data, images_of(data), transform, folder)


def _for_folder(listing: Listing) -> Transform:
    """Return the change that makes the images of a folder alike and small, from their headers alone."""
    sizes, grey = set(), set()
    pillow = optional("PIL.Image")
    with strict_pillow():
        for file in listing.files:
            try:
                with pillow.open(listing.root / file, formats=FORMATS) as image:
                    sizes.add((image.height, image.width))
                    grey.add(image.mode in _GREY_MODES)
            except Exception:  # whatever is wrong with it, reading the folder says so
                continue
    mixed = (COMPARED_AT, COMPARED_AT) if sizes else None
    size = _smaller(*sizes.pop()) if len(sizes) == 1 else mixed
    return Transform(size=size, colour="colour" if len(grey) == 2 else "keep")


def _smaller(height: int, width: int) -> tuple[int, int] | None:
    """Return the size within 32 x 32 with the same aspect, None for images that are within it already."""
    longer = max(height, width)
    if longer <= COMPARED_AT:
        return None
    return max(1, round(height * COMPARED_AT / longer)), max(1, round(width * COMPARED_AT / longer))
