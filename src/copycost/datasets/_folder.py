"""A folder of images as a data set: every file decoded once, changed once, and accounted for."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np

from copycost._types import ByteArray
from copycost.datasets._dataset import Dataset
from copycost.datasets._listing import Listing, shown
from copycost.datasets._memory import require_memory
from copycost.datasets._picture import FORMATS, Picture, read_picture, strict_pillow
from copycost.datasets._transform import Transform
from copycost.errors import InvalidInput
from copycost.inputs import Images


def read_folder(listing: Listing, name: str, *, transform: Transform, skip_bad: bool) -> Dataset:
    """Decode the files of a listing in its order.

    Raises
    ------
    InvalidInput
        If a file is not an image or is damaged (unless ``skip_bad``), images differ in size or channels, none is left,
        or all of them would take more than `memory_limit`.
    MissingExtra
        If Pillow is not installed.
    """
    stack = _Stack(listing, transform)
    notes: Counter[str] = Counter()
    skipped = []
    with strict_pillow():
        for file in listing.files:
            try:
                picture = _read(listing, file)
            except InvalidInput as error:
                if not skip_bad:
                    raise InvalidInput(_bad(listing, file, error)) from error
                skipped.append(shown(file))
                continue
            notes.update(picture.notes)
            stack.add(file, picture.pixels)
    if not stack.files:
        raise InvalidInput(_nothing(listing, name, len(skipped)))
    notes += Counter({"hidden, left out": listing.hidden, "bad, left out": len(skipped)})
    return Dataset(
        name,
        stack.images(),
        listing.labels(stack.files),
        listing.classes,
        files=tuple(stack.files),
        skipped=tuple(skipped),
        notes=dict(notes),
    )


class _Stack:
    """One array that changed images are put into, made when the first of them says how large it must be."""

    def __init__(self, listing: Listing, transform: Transform) -> None:
        self.listing, self.transform = listing, transform
        self.files: list[str] = []
        self._array: ByteArray | None = None

    def add(self, file: str, pixels: ByteArray) -> None:
        height, width, channels = pixels.shape
        shape = self.transform.shape((height, width, channels))
        if self._array is None:
            what = f"{shown(self.listing.root)} with {len(self.listing)} images like {shown(file)}, {shape},"
            require_memory(len(self.listing) * math.prod(shape), what)
            self._array = np.empty((len(self.listing), *shape), np.uint8)
        if shape != self._array.shape[1:]:
            raise InvalidInput(self._different(file, shape))
        self._array[len(self.files)] = self.transform(Images(pixels[np.newaxis])).array[0]
        self.files.append(file)

    def images(self) -> Images:
        assert self._array is not None
        array = self._array[: len(self.files)]
        array.flags.writeable = False
        return Images(array)

    def _different(self, file: str, shape: tuple[int, ...]) -> str:
        assert self._array is not None
        first = self._array.shape[1:]
        if shape[:2] != first[:2]:
            what, advice = [f"{height} x {width} pixels" for height, width, _ in (first, shape)], "a size, such as "
            advice += f'--transform "size={first[0]}x{first[1]}" (fit=crop or fit=pad keep the aspect)'
        else:
            what = [_COLOURS.get(channels, f"{channels} channels") for _, _, channels in (first, shape)]
            advice = '--transform "colour=grey" or "colour=colour"'
        return (
            f"{shown(self.listing.root)} mixes images: {shown(self.files[0])} has {what[0]} and {shown(file)} has "
            f"{what[1]}; all must be alike, so give {advice}."
        )


_COLOURS = {1: "grey pixels", 3: "colour pixels"}


def _read(listing: Listing, file: str) -> Picture:
    if file in listing.problems:
        raise InvalidInput(listing.problems[file])
    return read_picture(listing.root / file, listing.formats or FORMATS)


def _bad(listing: Listing, file: str, error: InvalidInput) -> str:
    return (
        f"{shown(listing.root / file)} cannot be used: {error}. Repair it or take it out, or go on without such files "
        "with --skip-bad (skip_bad=True), which counts them."
    )


def _nothing(listing: Listing, name: str, skipped: int) -> str:
    return (
        f"{shown(name)} holds no image that can be read ({skipped} bad files, {listing.hidden} hidden ones left out); "
        "name a folder of PNG, JPEG, BMP, GIF, WebP or TIFF files."
    )
