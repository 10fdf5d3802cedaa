"""What was chosen, as pictures: found again by their place in the pool, shown as small PNG images inside the page."""

from __future__ import annotations

import base64
import functools
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from copycost._types import ByteArray, IntArray
from copycost.audit import AuditResult, AuditSpec
from copycost.audit._scenario import Data, load_data
from copycost.audit._tasks import target_key
from copycost.errors import CopycostError
from copycost.report._figures import Figures, Series
from copycost.report._text import count, plural

__all__ = ["Group", "ImageSource", "Picture", "Sheet", "chosen_images", "sheets", "shown_rows"]

ImageSource = Callable[[dict[str, Any]], ByteArray | None]

SHOWN = 60
_LARGEST_SIDE = 48


@dataclass(frozen=True)
class Picture:
    """One image as a data address, its size in pixels, and what it is."""

    address: str
    width: int
    height: int
    words: str


@dataclass(frozen=True)
class Group:
    """Images that got the same answer; ``total`` counts those that are not shown too."""

    name: str
    total: int
    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class Sheet:
    """What one cell chose, by answer; ``note`` says what is not shown."""

    title: str
    colour: int
    groups: tuple[Group, ...]
    note: str


def shown_rows(cell: dict[str, Any]) -> IntArray:
    """Return which of a cell's queries are shown: pool members alone, 60 at most, spread evenly over the choice."""
    members = np.flatnonzero(np.asarray(cell["result"]["chosen"]["pool_index"], dtype=np.int64) >= 0)
    if len(members) <= SHOWN:
        return members.astype(np.int64)
    return members[np.linspace(0, len(members) - 1, SHOWN).round().astype(np.int64)].astype(np.int64)


def chosen_images(result: AuditResult, cell: dict[str, Any], data_dir: Path | None) -> ByteArray | None:
    """Load the pool images of `shown_rows` of a cell.

    Returns
    -------
    uint8 array (n, height, width, channels), or None where the data cannot be loaded or are not those of the audit.
    """
    spec, seed = result.spec, int(cell["spec"]["seed"])
    try:
        pool = _data(spec, seed if spec.per_seed else 0, data_dir).pool.inputs
    except (CopycostError, OSError):
        return None
    record = result.targets[seed] if spec.per_seed else result.targets[0]
    if target_key(spec, seed) != cell["target"] or pool.digest() != record["pool"]["digest"]:
        return None
    chosen = np.asarray(cell["result"]["chosen"]["pool_index"], dtype=np.int64)
    return pool.take(chosen[shown_rows(cell)]).array


@functools.lru_cache(maxsize=1)
def _data(spec: AuditSpec, seed: int, data_dir: Path | None) -> Data:
    """Keep the last sets loaded: every strategy chose from the same pool. A report fetches nothing."""
    return load_data(spec, seed, data_dir, download=False)


def picture_budget(budgets: tuple[int, ...]) -> int:
    """Return the budget whose choice is shown: the one nearest to the number of pictures."""
    return min(budgets, key=lambda budget: (abs(budget - SHOWN), budget))


def sheets(figures: Figures, images: ImageSource) -> list[Sheet] | None:
    """Return a sheet for each strategy under the first kind of answer, first seed; None where images are missing."""
    budget = picture_budget(figures.spec.budgets)
    found = []
    for series in figures.series:
        if series.answers != figures.spec.answers[0]:
            continue
        cell = figures.cells(series, budget)[0]
        rows = images(cell)
        if rows is None:
            return None
        found.append(_sheet(figures, series, cell, rows))
    return found


def _sheet(figures: Figures, series: Series, cell: dict[str, Any], images: ByteArray) -> Sheet:
    answers = np.asarray(cell["result"]["chosen"]["answers"], dtype=np.int64)
    shown = shown_rows(cell)
    groups = []
    for label, total in enumerate(np.bincount(answers, minlength=len(figures.classes)).tolist()):
        if total:
            name = figures.classes[label]
            pictures = tuple(_picture(images[at], name) for at in np.flatnonzero(answers[shown] == label))
            groups.append(Group(name, total, pictures))
    asked, new = len(answers), int(cell["result"]["queries"]["new_inputs"])
    note = f"{count(len(shown))} of {plural(asked, 'query', 'queries')} shown" if len(shown) < asked else ""
    if new:
        note += f"; {plural(new, 'input')} made by the strategy, which the records do not hold"
    title = f"{series.strategy}: {plural(asked, 'query', 'queries')}, seed {cell['spec']['seed']}"
    return Sheet(title, series.colour, tuple(groups), note)


def _picture(image: ByteArray, answer: str) -> Picture:
    found = _as_picture(image)
    found.thumbnail((_LARGEST_SIDE, _LARGEST_SIDE))
    written = io.BytesIO()
    found.save(written, "PNG", optimize=True)
    address = "data:image/png;base64," + base64.b64encode(written.getvalue()).decode("ascii")
    return Picture(address, found.width, found.height, f"answered {answer}")


def _as_picture(image: ByteArray) -> Image.Image:
    """Turn an image into a picture; of channels that are neither grey nor colour the first is shown."""
    if image.shape[-1] == 3:
        return Image.fromarray(np.ascontiguousarray(image))
    return Image.fromarray(np.ascontiguousarray(image[..., 0]))
