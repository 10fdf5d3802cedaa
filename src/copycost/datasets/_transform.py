"""The one explicit change that images may go through between a file and the target, and that a record names."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

import numpy as np

from copycost._types import ByteArray
from copycost.datasets._images import Resample, resize
from copycost.datasets._memory import require_memory
from copycost.errors import InvalidInput
from copycost.inputs import Images

Colour = Literal["keep", "grey", "colour"]
Fit = Literal["stretch", "crop", "pad"]

_MOST_PIXELS = 65_536  # on a side: enough for any image, and products of it never overflow


@dataclass(frozen=True)
class Transform:
    """How every image is changed before anything sees it: the size first, then the colour.

    Strategies, target and substitute all see what comes out; the default changes nothing.

    Parameters
    ----------
    size : (int, int), optional
        Height and width in pixels; None keeps them.
    resample : {"bilinear", "nearest", "bicubic", "area"}
        The filter of `resize`.
    colour : {"keep", "grey", "colour"}
        ``grey`` is ITU-R BT.601 luminance, one channel; ``colour`` copies grey to three channels.
    fit : {"stretch", "crop", "pad"}
        What happens where the aspect differs: ``stretch`` ignores it; ``crop`` cuts the largest centred part of the
        new aspect out first; ``pad`` fits the whole image in and fills the rest, evenly on both sides, with black.

    Raises
    ------
    InvalidInput
        If a value is not one of these, or ``resample`` or ``fit`` is chosen without a size.

    Examples
    --------
    >>> Transform.parse("size=28x28 colour=grey")(Images(np.zeros((2, 32, 40, 3), np.uint8)))
    Images(n=2, 28x28x1)
    """

    size: tuple[int, int] | None = None
    resample: Resample = "bilinear"
    colour: Colour = "keep"
    fit: Fit = "stretch"

    def __post_init__(self) -> None:
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                raise InvalidInput(f"transform {name} is {getattr(self, name)!r}; {', '.join(allowed)} are allowed.")
        if self.size is not None:
            object.__setattr__(self, "size", parse_size(self.size))
        elif (self.resample, self.fit) != ("bilinear", "stretch"):
            raise InvalidInput(
                f"transform has resample={self.resample} and fit={self.fit} but no size, and these say how a size is "
                "reached; add size=HEIGHTxWIDTH or leave them out."
            )

    @classmethod
    def parse(cls, text: str) -> Transform:
        """Read ``name=value`` pairs separated by spaces, such as ``size=28x28 colour=grey fit=crop``.

        Raises
        ------
        InvalidInput
            If a pair is not understood, a name is unknown or given twice, or a value is not allowed.
        """
        names = [field.name for field in fields(cls)]
        values: dict[str, Any] = {}
        for part in text.split():
            name, equals, value = part.partition("=")
            if not equals or name not in names or name in values:
                raise InvalidInput(
                    f"transform is {text!r}, of which {part!r} is not understood; write name=value pairs separated by "
                    f"spaces, each of {', '.join(names)} at most once, such as size=28x28 colour=grey."
                )
            values[name] = value
        return cls(**values)

    def __str__(self) -> str:
        """Return the text that `parse` reads; empty where nothing changes."""
        shown = {} if self.size is None else {"size": f"{self.size[0]}x{self.size[1]}"}
        for name in _CHOICES:
            value = getattr(self, name)
            if value != getattr(Transform, name):
                shown[name] = value
        return " ".join(f"{name}={value}" for name, value in shown.items())

    def shape(self, shape: tuple[int, int, int]) -> tuple[int, int, int]:
        """Return height, width and channels of what an image of ``shape`` becomes.

        Raises
        ------
        InvalidInput
            If the colour is to change and the images are neither grey nor of three channels.
        """
        height, width = self.size or shape[:2]
        if self.colour == "keep":
            return height, width, shape[2]
        if shape[2] not in (1, 3):
            raise InvalidInput(
                f"transform colour={self.colour} takes images of 1 or 3 channels, and these have {shape[2]}; use "
                "colour=keep or change the channels beforehand."
            )
        return height, width, 1 if self.colour == "grey" else 3

    def __call__(self, images: Images) -> Images:
        """Return the changed images; where nothing changes, the same object.

        Raises
        ------
        InvalidInput
            If the channels do not suit, or the result would not fit into memory.
        MissingExtra
            If the size changes and Pillow is not installed.
        """
        shape = self.shape(images.shape)
        if shape == images.shape:
            return images
        require_memory(len(images) * math.prod(shape), f"a set of {len(images)} images, {shape},")
        if self.size is not None and images.shape[:2] != self.size:
            images = self._sized(images, *self.size)
        return self._coloured(images)

    def _sized(self, images: Images, height: int, width: int) -> Images:
        if self.fit == "stretch":
            return resize(images, height, width, self.resample)
        own_height, own_width, channels = images.shape
        if self.fit == "crop":
            rows, columns = _largest_of_aspect(own_height, own_width, height, width)
            top, left = (own_height - rows) // 2, (own_width - columns) // 2
            part = Images(images.array[:, top : top + rows, left : left + columns])
            return resize(part, height, width, self.resample)
        rows, columns = _largest_of_aspect(height, width, own_height, own_width)
        top, left = (height - rows) // 2, (width - columns) // 2
        out: ByteArray = np.zeros((len(images), height, width, channels), np.uint8)
        out[:, top : top + rows, left : left + columns] = resize(images, rows, columns, self.resample).array
        return _frozen(out)

    def _coloured(self, images: Images) -> Images:
        channels = images.shape[2]
        if self.colour == "grey" and channels == 3:
            # Imported where it is used: it compiles kernels, which takes a second that few sets need.
            from copycost.similarity import luminance

            return _frozen(luminance(images.array))
        if self.colour == "colour" and channels == 1:
            return _frozen(np.repeat(images.array, 3, axis=-1))
        return images


_CHOICES: dict[str, tuple[str, ...]] = {
    "resample": get_args(Resample),
    "colour": get_args(Colour),
    "fit": get_args(Fit),
}


def parse_size(value: Any) -> tuple[int, int]:
    """Return height and width from ``28x28``, ``28,28`` or a pair of whole numbers.

    Raises
    ------
    InvalidInput
        If it is none of these, or a side is below 1 or above 65,536.
    """
    parts: Any = value
    if isinstance(value, str):
        texts = value.lower().replace(",", "x").split("x")
        parts = [int(text) if text.isascii() and text.isdigit() and len(text) < 9 else None for text in texts]
    if not isinstance(parts, list | tuple) or len(parts) != 2 or not all(map(_is_side, parts)):
        raise InvalidInput(
            f"transform size is {value!r}; write HEIGHTxWIDTH in pixels, such as 28x28, each side from 1 to "
            f"{_MOST_PIXELS}."
        )
    return int(parts[0]), int(parts[1])


def _is_side(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and 1 <= int(value) <= _MOST_PIXELS


def _largest_of_aspect(height: int, width: int, aspect_height: int, aspect_width: int) -> tuple[int, int]:
    """Return the largest rows and columns within height x width that have an aspect, each rounded and at least 1."""
    if width * aspect_height > height * aspect_width:
        return height, max(1, _rounded(height * aspect_width, aspect_height))
    return max(1, _rounded(width * aspect_height, aspect_width)), width


def _rounded(numerator: int, denominator: int) -> int:
    """Divide whole numbers and round half up, exactly."""
    return (2 * numerator + denominator) // (2 * denominator)


def _frozen(array: ByteArray) -> Images:
    array.flags.writeable = False
    return Images(array)
