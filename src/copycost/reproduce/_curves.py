"""What figures show: agreement from round to round, and how answers are shared among the classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from copycost.measures import Interval, student_interval
from copycost.reproduce._library import Library
from copycost.reproduce._measured import Measured
from copycost.reproduce._records import Records
from copycost.reproduce._schema import Scale
from copycost.reproduce._slots import Slot

__all__ = ["ClassShares", "Curve", "class_shares", "round_curves"]


@dataclass(frozen=True)
class Curve:
    """Agreement of one row after each round: queries charged, and an interval over seeds at each.

    ``flat`` is set where everything was asked at once: then there is one value, which is drawn as a level.
    """

    name: str
    queries: tuple[int, ...]
    intervals: tuple[Interval, ...]
    flat: bool


@dataclass(frozen=True)
class ClassShares:
    """Shares of answers by class, for each row: the classes, and an interval over seeds for each of them."""

    classes: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Interval, ...]], ...]


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


def class_shares(cells: Sequence[Cell], scale: Scale, library: Library, records: Records) -> ClassShares | None:
    """Return how the answers of each slot are shared among the classes, or None where there is no record."""
    names: tuple[str, ...] = ()
    rows = []
    for slot, measured in cells:
        if measured.choice is None:
            continue
        audit, by_seed = measured.choice.audit, []
        spec = library.spec(audit, scale)
        for cell in measured.choice.cells:
            record = records.cell(audit, cell)
            if record is not None and spec is not None:
                counts = [float(count) for count in record["result"]["queries"]["answers_by_class"]]
                by_seed.append([count / sum(counts) for count in counts])
                target = records.target(audit, spec, cell.seed)
                names = tuple(target["classes"]) if target else tuple(str(one) for one in range(len(counts)))
        if by_seed:
            rows.append((slot.row, tuple(student_interval(values) for values in zip(*by_seed, strict=True))))
    return ClassShares(names, tuple(rows)) if rows else None
