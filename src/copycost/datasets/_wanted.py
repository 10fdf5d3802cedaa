"""The text that names a data set, taken apart: what it is called, and which part of it is wanted."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from copycost._streams import stream
from copycost.datasets._files import SUFFIXES as ARRAY_FILES
from copycost.datasets._hub import PREFIX
from copycost.datasets._registry import SOURCES
from copycost.datasets._text_files import SUFFIXES as TEXT_FILES
from copycost.errors import InvalidInput

UNLABELLED = "unlabelled:"
_PART = re.compile(r"(?P<body>.*?)\[(?P<inside>[^\[\]]*)\]")
_BOUNDS = re.compile(r"\s*(?P<start>\d{0,18})\s*:\s*(?P<stop>\d{0,18})\s*")
_DRAWN = re.compile(r"\s*(?P<count>\d{1,18})\s+drawn(\s+seed=(?P<seed>\d{1,18}))?\s*")


@dataclass(frozen=True)
class Slice:
    """Inputs ``start`` to ``stop``, or to the end."""

    start: int = 0
    stop: int | None = None

    def rows(self, n: int, text: str, medium: str) -> Sequence[int]:
        """Return which of n inputs these are, ascending."""
        stop = n if self.stop is None else self.stop
        if not 0 <= self.start < stop <= n:
            raise InvalidInput(
                f"{text!r} asks for {medium}s {self.start} to {stop} of {n}; a slice [start:stop] needs start < stop "
                f"<= {n}."
            )
        return range(self.start, stop)


@dataclass(frozen=True)
class Draw:
    """``count`` inputs drawn uniformly without replacement, the same for every audit.

    Of one seed and set, a smaller draw is part of a larger one.
    """

    count: int
    seed: int = 0

    def rows(self, n: int, text: str, medium: str) -> Sequence[int]:
        """Return which of n inputs these are, ascending."""
        if not 0 < self.count <= n:
            raise InvalidInput(f"{text!r} asks for {self.count} {medium}s drawn of {n}; draw from 1 to {n}.")
        return sorted(stream(self.seed, "drawn part").permutation(n)[: self.count].tolist())


@dataclass(frozen=True)
class Wanted:
    """What a text asks for: the part, if any, of the set that ``body`` names, with its labels or without."""

    text: str
    body: str
    part: Slice | Draw | None = None
    labelled: bool = True

    @property
    def whole(self) -> bool:
        """Whether no part is named."""
        return self.part is None

    @property
    def ends(self) -> tuple[int, int | None]:
        """Where reading may begin and end: drawn inputs may lie anywhere."""
        return (self.part.start, self.part.stop) if isinstance(self.part, Slice) else (0, None)

    def rows(self, n: int, medium: str) -> Sequence[int]:
        """Return which of n inputs of the whole set are wanted, ascending.

        Raises
        ------
        InvalidInput
            If these are none, or there are not so many.
        """
        return (self.part or Slice()).rows(n, self.text, medium)


def parse(text: str) -> Wanted:
    """Take the text of a data set apart.

    Raises
    ------
    InvalidInput
        If it ends in brackets that hold neither a slice nor a number to be drawn.

    Examples
    --------
    >>> parse("mnist:train[:10]").part, parse("unlabelled:photos[7 drawn seed=1]").part
    (Slice(start=0, stop=10), Draw(count=7, seed=1))
    """
    text = text.strip()
    if text.startswith(UNLABELLED):
        inner = parse(text.removeprefix(UNLABELLED))
        return replace(inner, text=text, labelled=False)
    found = _PART.fullmatch(text)
    if found is None or text.endswith((*ARRAY_FILES, *TEXT_FILES)) or is_folder(text):
        return Wanted(text, text)
    return Wanted(text, found["body"], _part(text, found["inside"]))


def _part(text: str, inside: str) -> Slice | Draw:
    if bounds := _BOUNDS.fullmatch(inside):
        return Slice(int(bounds["start"] or 0), int(bounds["stop"]) if bounds["stop"] else None)
    if drawn := _DRAWN.fullmatch(inside):
        return Draw(int(drawn["count"]), int(drawn["seed"] or 0))
    raise InvalidInput(
        f"{text!r} ends in [{inside}]; a slice is [start:stop] with whole numbers from 0, such as [:1000] or "
        "[500:600], without a step and without negative numbers; [1000 drawn] takes so many at random, always the "
        "same, and [1000 drawn seed=1] takes others."
    )


def path_of(text: str) -> Path:
    """Return a text as a path; ``~`` is the home folder, and ``~nobody`` stays as it is."""
    return Path(os.path.expanduser(text))  # Path.expanduser raises on ~nobody


def is_folder(body: str) -> bool:
    """Whether a text names a folder; the names of public sets go first, and ``./mnist`` is the folder."""
    reserved = body.partition(":")[0] in SOURCES or body.startswith((PREFIX, UNLABELLED))
    return bool(body) and not reserved and os.path.isdir(path_of(body))
