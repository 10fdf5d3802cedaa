"""Exposure by class: agreement for each label, and the confusion matrices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from copycost._types import IntArray
from copycost.measures import Interval
from copycost.report._figures import Figures, Series, interval_of
from copycost.report._tables import Cell, Table, share_cell
from copycost.report._text import count, percent

__all__ = ["Heat", "Matrix", "class_table", "confusion_matrices", "transfer_class_table"]

MOST_CLASSES_IN_MATRIX = 20
MOST_CLASSES_IN_TABLE = 60
SHADES = 9


@dataclass(frozen=True)
class Heat:
    """A count of a matrix: ``shade`` 0 to 9 is its share of the row, ``kept`` whether it lies on the diagonal."""

    text: str
    shade: int
    kept: bool
    words: str


@dataclass(frozen=True)
class Matrix:
    """A confusion matrix with its title, what rows and columns are, and the names of the classes."""

    title: str
    rows_are: str
    columns_are: str
    classes: tuple[str, ...]
    rows: tuple[tuple[Heat, ...], ...]


ByClass = Callable[[dict[str, Any], int], float | None]


def class_table(figures: Figures) -> tuple[Table, int]:
    """Return agreement by class at the largest budget, and how many classes were left out.

    With many classes only those on which the first series agrees least are kept.
    """
    caption = f"Agreement by the target’s label at {count(figures.largest)} queries, in per cent; stronger where higher"
    return _by_class(figures, caption, lambda measured, index: measured["agreement_by_class"][index])


def transfer_class_table(figures: Figures) -> Table | None:
    """Return how often adversarial examples of each class work, at the largest budget; None where none were made.

    An example counts as it does in DRMI's Figures 4 and 5: it fooled the substitute, and the target gives it another
    label than the class it was made from.
    """
    measured = [one for series in figures.series for one in figures.measures(series, figures.largest)]
    if any(one["transfer"] is None for one in measured):
        return None
    caption = (
        f"Transfer by the class that examples were made from, at {count(figures.largest)} queries, in per cent of "
        "those that fooled the copy; stronger where higher"
    )
    return _by_class(figures, caption, _left_its_class)[0]


def _left_its_class(measured: dict[str, Any], index: int) -> float | None:
    row = measured["transfer"]["confusion"][index]
    return None if sum(row) == 0 else 1 - row[index] / sum(row)


def _by_class(figures: Figures, caption: str, value: ByClass) -> tuple[Table, int]:
    budget, series = figures.largest, figures.series
    by_class = [
        [_interval(figures, one, budget, index, value) for one in series] for index in range(len(figures.classes))
    ]
    shown = list(range(len(figures.classes)))
    if len(shown) > MOST_CLASSES_IN_TABLE:
        shown = sorted(shown, key=lambda index: _mean_or(by_class[index][0], 2.0))[:MOST_CLASSES_IN_TABLE]
    means = [found.mean for index in shown for found in by_class[index] if found is not None]
    low, high = min(means, default=0.0), max(means, default=1.0)
    rows = tuple(
        (Cell(figures.classes[index]), *(_shaded(found, low, high) for found in by_class[index])) for index in shown
    )
    return Table(caption, ("class", *(one.name for one in series)), rows), len(figures.classes) - len(shown)


def _interval(figures: Figures, series: Series, budget: int, index: int, value: ByClass) -> Interval | None:
    """Return the mean over the seeds that have a value for the class."""
    found = [value(measured, index) for measured in figures.measures(series, budget)]
    return interval_of(one for one in found if one is not None)


def _mean_or(interval: Interval | None, otherwise: float) -> float:
    return otherwise if interval is None else interval.mean


def _shaded(interval: Interval | None, low: float, high: float) -> Cell:
    cell = share_cell(interval)
    if interval is None or high <= low:
        return cell
    return Cell(cell.text, cell.note, f"h{shade((interval.mean - low) / (high - low))}")


def shade(part: float) -> int:
    """Return which of ten shades stands for a share; only nothing at all gets the first."""
    return 0 if part <= 0 else min(SHADES, 1 + int(part * SHADES))


def confusion_matrices(figures: Figures, series: Series) -> list[Matrix]:
    """Return the matrices of a series at the largest budget, summed over seeds; none with too many classes."""
    if len(figures.classes) > MOST_CLASSES_IN_MATRIX:
        return []
    measured = figures.measures(series, figures.largest)
    at = f"{series.name}, {count(figures.largest)} queries"
    found = [
        _matrix(
            f"Held-out {figures.nouns}: {at}",
            "target’s label",
            "substitute’s label",
            figures.classes,
            [one["confusion"] for one in measured],
        )
    ]
    transfers = [one["transfer"] for one in measured if one["transfer"] is not None]
    if transfers:
        rows_are = "true label" if measured[0]["accuracy"] is not None else "target’s label of the unchanged image"
        counts = [transfer["confusion"] for transfer in transfers]
        found.append(
            _matrix(f"Adversarial examples: {at}", rows_are, "target’s label of the example", figures.classes, counts)
        )
    return found


def _matrix(
    title: str, rows_are: str, columns_are: str, classes: tuple[str, ...], counts: Sequence[Sequence[Sequence[int]]]
) -> Matrix:
    total: IntArray = np.sum(np.asarray(counts, dtype=np.int64), axis=0)
    rows = tuple(
        tuple(_heat(total, row, column, classes, rows_are, columns_are) for column in range(len(classes)))
        for row in range(len(classes))
    )
    return Matrix(title, rows_are, columns_are, classes, rows)


def _heat(total: IntArray, row: int, column: int, classes: tuple[str, ...], rows_are: str, columns_are: str) -> Heat:
    number, of = int(total[row, column]), int(total[row].sum())
    part = number / of if of else 0.0
    words = f"{rows_are} {classes[row]}, {columns_are} {classes[column]}: {number:,} of {of:,} ({percent(part)})"
    return Heat(f"{number:,}" if number else "·", shade(part), row == column, words)
