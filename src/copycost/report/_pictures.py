"""What was chosen, to look at: small PNG images inside the page, or the beginnings of texts."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from copycost._types import ByteArray
from copycost.report._figures import Figures, Series
from copycost.report._sources import SHOWN, Chosen, Shown, shown_rows
from copycost.report._text import count, plural

__all__ = ["Group", "Picture", "Sheet", "group_of", "picture_budget", "sheets"]

_LARGEST_SIDE = 48
_LETTERS = 160


@dataclass(frozen=True)
class Picture:
    """One image as a data address, its size in pixels, and what it is."""

    address: str
    width: int
    height: int
    words: str


@dataclass(frozen=True)
class Group:
    """Inputs of one class, as pictures or as texts; ``total`` counts those that are not shown too."""

    name: str
    total: int
    pictures: tuple[Picture, ...] = ()
    texts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sheet:
    """What one cell chose, by answer, or samples by class; ``note`` says what is not shown."""

    title: str
    groups: tuple[Group, ...]
    note: str = ""


def picture_budget(budgets: tuple[int, ...], medium: str) -> int:
    """Return the budget whose choice is shown: the one nearest to what a sheet shows."""
    return min(budgets, key=lambda budget: (abs(budget - SHOWN[medium]), budget))


def sheets(figures: Figures, source: Chosen) -> list[Sheet] | None:
    """Return a sheet for each strategy under the first kind of answer, first seed; None where inputs are missing."""
    budget = picture_budget(figures.spec.budgets, figures.medium)
    found = []
    for series in figures.series:
        if series.answers != figures.spec.answers[0]:
            continue
        cell = figures.cells(series, budget)[0]
        rows = source(cell)
        if rows is None:
            return None
        found.append(_sheet(figures, series, cell, rows))
    return found


def _sheet(figures: Figures, series: Series, cell: dict[str, Any], inputs: Shown) -> Sheet:
    answers = np.asarray(cell["result"]["chosen"]["answers"], dtype=np.int64)
    shown = shown_rows(cell, figures.medium)
    groups = []
    for label, total in enumerate(np.bincount(answers, minlength=len(figures.classes)).tolist()):
        if total:
            name = figures.classes[label]
            at = np.flatnonzero(answers[shown] == label).tolist()
            groups.append(group_of(name, total, [inputs[row] for row in at], f"answered {name}"))
    asked, new = len(answers), int((np.asarray(cell["result"]["chosen"]["pool_index"]) < 0).sum())
    title = f"{series.strategy}: {plural(asked, 'query', 'queries')}, seed {cell['spec']['seed']}"
    return Sheet(title, tuple(groups), _note(cell, len(shown), asked, new))


def _note(cell: dict[str, Any], shown: int, asked: int, new: int) -> str:
    validated = len((cell["result"].get("validation") or {"answers": []})["answers"])
    parts = [
        f"{count(shown)} of {plural(asked, 'query', 'queries')} shown" if shown < asked else "",
        f"{plural(new, 'input')} made by the strategy, which the records do not hold" if new else "",
        f"{plural(validated, 'query', 'queries')} more drawn at random to validate" if validated else "",
    ]
    return "; ".join(part for part in parts if part)


def group_of(name: str, total: int, inputs: Sequence[ByteArray | str], words: str) -> Group:
    """Return inputs of one class as pictures, each with the same words for those who cannot see it, or as texts."""
    texts = tuple(beginning(one) for one in inputs if isinstance(one, str))
    return Group(name, total, tuple(_picture(one, words) for one in inputs if not isinstance(one, str)), texts)


def beginning(text: str) -> str:
    """Return the first 160 characters of a text."""
    start = text[:_LETTERS].strip() + ("…" if len(text) > _LETTERS else "")
    return start or "(empty)"


def _picture(image: ByteArray, words: str) -> Picture:
    found = _as_picture(image)
    found.thumbnail((_LARGEST_SIDE, _LARGEST_SIDE))
    written = io.BytesIO()
    found.save(written, "PNG", optimize=True)
    address = "data:image/png;base64," + base64.b64encode(written.getvalue()).decode("ascii")
    return Picture(address, found.width, found.height, words)


def _as_picture(image: ByteArray) -> Image.Image:
    """Turn an image into a picture; of channels that are neither grey nor colour the first is shown."""
    if image.shape[-1] == 3:
        return Image.fromarray(np.ascontiguousarray(image))
    return Image.fromarray(np.ascontiguousarray(image[..., 0]))
