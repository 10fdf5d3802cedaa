"""What figures show: numbers by round or by budget, and lists of numbers by class or by epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from copycost.measures import Interval, student_interval
from copycost.reproduce._library import Library
from copycost.reproduce._measured import Measured, at_path, result_of
from copycost.reproduce._records import Records
from copycost.reproduce._schema import Panel, Scale, per_cent
from copycost.reproduce._slots import Slot

__all__ = ["LISTED", "Curve", "Listing", "column_curves", "listing", "printed_curves", "round_curves"]

ANSWERS = "chosen.answers"  # one label a query; those that validate are not among them
LISTED = ("classes", "epochs", "confusion")


@dataclass(frozen=True)
class Curve:
    """One row after each round, at each budget or at each share: where it is, and an interval over seeds at each.

    ``queries`` are those charged, or per cent where the columns are shares.

    ``flat`` is set where everything was asked at once: then there is one value, which is drawn as a level.
    """

    name: str
    queries: tuple[int, ...]
    intervals: tuple[Interval, ...]
    flat: bool


@dataclass(frozen=True)
class Listing:
    """Many numbers of one kind: a label for each line (a class, an epoch), and columns of intervals over seeds."""

    head: str
    labels: tuple[str, ...]
    columns: tuple[tuple[str, tuple[Interval, ...]], ...]


Cell = tuple[Slot, Measured]


def round_curves(cells: Sequence[Cell], records: Records) -> tuple[Curve, ...]:
    """Return a curve for each slot with a record; seeds that ended after fewer rounds are left out."""
    found = []
    for slot, measured in cells:
        rounds = [
            record["result"]["rounds"]
            for cell in (measured.choice.cells if measured.choice else ())
            if (record := records.cell(slot.choices[0].audit, cell)) is not None
        ]
        if not rounds:
            continue
        length = max(len(one) for one in rounds)
        whole = [one for one in rounds if len(one) == length]
        queries = tuple(int(one["charged"]) for one in whole[0])
        intervals = tuple(
            student_interval([float(one[number]["measures"]["agreement"]) for one in whole]) for number in range(length)
        )
        found.append(Curve(slot.row, queries, intervals, flat=length == 1))
    return tuple(found)


def column_curves(panel: Panel, cells: Sequence[Cell]) -> tuple[Curve, ...]:
    """Return a curve for each row of a panel by budget or by share; none where it is another, or nothing is measured.

    A panel by budget has one measure, a strategy for each row, and columns of budgets that rise; one by share has one
    measure and names what its columns are shares of.
    """
    if panel.chart is not None or any(slot.statistic != "mean" for slot, _ in cells):
        return ()
    if not (_is_by_share(panel, cells) or _is_by_budget(panel, cells)):
        return ()
    there = [(slot, measured.interval) for slot, measured in cells if measured.interval is not None]
    return _by_row(panel, [(slot, interval) for slot, interval in there if slot.choices])


def printed_curves(panel: Panel, cells: Sequence[Cell], unit: str) -> tuple[Curve, ...]:
    """Return the published numbers beside `column_curves`; one that is cut, or a bound, has no place among them."""
    part = 100 if unit == "percent" else 1
    whole = [(slot, slot.printed) for slot, _ in cells if slot.choices and slot.printed and slot.printed.exact]
    return _by_row(panel, [(slot, Interval(one.value / part, None, None, 0, ())) for slot, one in whole])


def _is_by_share(panel: Panel, cells: Sequence[Cell]) -> bool:
    return panel.shares_of is not None and len({slot.measure for slot, _ in cells}) == 1


def _is_by_budget(panel: Panel, cells: Sequence[Cell]) -> bool:
    rows = [[slot for slot, _ in cells if slot.row == row and slot.choices] for row in panel.rows]
    budgets = [[slot.choices[0].cells[0].budget for slot in row] for row in rows]
    strategies = [{slot.choices[0].strategy for slot in row} for row in rows if row]
    return (
        len({slot.measure for slot, _ in cells}) == 1
        and max(map(len, rows)) > 1
        and all(one < other for row in budgets for one, other in pairwise(row))
        and all(len(names) == 1 for names in strategies)
        and len(set.union(*strategies)) == len(strategies)
    )


def _by_row(panel: Panel, found: Sequence[tuple[Slot, Interval]]) -> tuple[Curve, ...]:
    curves = []
    for row in panel.rows:
        points = [(_place(panel, slot), interval) for slot, interval in found if slot.row == row]
        if points:
            places, intervals = zip(*points, strict=True)
            curves.append(Curve(row, places, intervals, flat=False))
    return tuple(curves)


def _place(panel: Panel, slot: Slot) -> int:
    return slot.choices[0].cells[0].budget if panel.shares_of is None else per_cent(slot.column)


def listing(chart: str, cells: Sequence[Cell], scale: Scale, library: Library, records: Records) -> Listing | None:
    """Return the numbers of a panel of classes, epochs or a confusion matrix, or None where there is no record."""
    if chart == "confusion":
        return _confusion(cells, scale, library, records)
    columns: list[tuple[str, tuple[Interval, ...]]] = []
    labels: tuple[str, ...] = ()
    for slot, measured in cells:
        rows = _lists(slot, measured, scale, library, records)
        if not rows:
            continue
        if chart == "classes":
            labels = labels or _classes(measured, scale, library, records)
            counts = [_counts(row, len(labels)) for row in rows] if slot.measure == ANSWERS else rows
            rows = [_shares(row) for row in counts]
        columns.append((slot.row, _intervals(rows)))
    longest = max((len(found) for _, found in columns), default=0)
    labels = labels or tuple(str(number + 1) for number in range(longest))
    return Listing("label" if chart == "classes" else "epoch", labels, tuple(columns)) if columns else None


def _confusion(cells: Sequence[Cell], scale: Scale, library: Library, records: Records) -> Listing | None:
    """Return shares of each true label: a line for it, and a column for each answered one."""
    slot, measured = cells[0]
    matrices = _lists(slot, measured, scale, library, records)
    if not matrices:
        return None
    classes = _classes(measured, scale, library, records)
    lines = [_intervals([_shares(matrix[true]) for matrix in matrices]) for true in range(len(classes))]
    columns = tuple((name, tuple(line[place] for line in lines)) for place, name in enumerate(classes))
    return Listing("true label", classes, columns)


def _lists(slot: Slot, measured: Measured, scale: Scale, library: Library, records: Records) -> list[list[Any]]:
    """Return what the path of a slot leads to, a list a seed."""
    if measured.choice is None:
        return []
    found = (
        at_path(result_of(slot.measure, measured.choice, cell.seed, scale, library, records), slot.measure)
        for cell in measured.choice.cells
    )
    return [one for one in found if one]


def _intervals(rows: Sequence[Sequence[float]]) -> tuple[Interval, ...]:
    return tuple(student_interval(values) for values in zip(*rows, strict=True))


def _counts(answers: Sequence[int], classes: int) -> list[int]:
    """Return how many answers each class got."""
    return [int(number) for number in np.bincount(answers, minlength=classes)]


def _shares(counts: Sequence[float]) -> list[float]:
    return [count / (sum(counts) or 1) for count in counts]


def _classes(measured: Measured, scale: Scale, library: Library, records: Records) -> tuple[str, ...]:
    choice = measured.choice
    assert choice is not None
    spec = library.spec(choice.audit, scale)
    targets = [] if spec is None else [records.target(choice.audit, spec, cell.seed) for cell in choice.cells]
    return next((tuple(str(name) for name in target["classes"]) for target in targets if target), ())
