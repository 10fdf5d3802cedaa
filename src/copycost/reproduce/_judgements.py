"""What the cells of a table say together: against random, in which order, and divided by one another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations, pairwise
from statistics import fmean

from copycost import measures
from copycost.measures import Interval
from copycost.reproduce._measured import Measured
from copycost.reproduce._numbers import combine
from copycost.reproduce._schema import Panel, Ratio, Side, Table
from copycost.reproduce._slots import Slot

__all__ = ["Against", "Divided", "Order", "Place", "against_random", "divide", "orders"]

Place = tuple[str, str, str]
Cells = dict[Place, tuple[Slot, Measured]]


@dataclass(frozen=True)
class Against:
    """A paired difference over seeds: a strategy less random beside it, in the units of the records.

    ``row`` names the strategy and ``column`` what both stand in, or the other way where a panel compares its columns.
    ``verdict`` is better, worse, or open where the interval holds 0 or there is none.
    """

    panel: str
    column: str
    row: str
    interval: Interval
    verdict: str


@dataclass(frozen=True)
class Order:
    """How the order of some printed cells and that of the measured ones compare, pair by pair.

    Attributes
    ----------
    panel, along : str
        The panel, and the column (or row) whose cells are compared.
    printed, measured : str
        Names from best to worst, ``=`` between those of one number.
    pairs, same : int
        Pairs whose printed numbers differ, and of those the pairs that stand in the same order in the means.
    supported, supported_same : int
        Pairs whose paired difference over seeds leaves out 0, and of those the pairs that stand as printed.
    """

    panel: str
    along: str
    printed: str
    measured: str
    pairs: int
    same: int
    supported: int
    supported_same: int


@dataclass(frozen=True)
class Divided:
    """A ratio of the text, measured: no interval where a cell it needs is missing, or where it has no value."""

    ratio: Ratio
    interval: Interval | None
    undefined: bool = False


def against_random(table: Table, cells: Cells) -> list[Against]:
    """Return a difference for every strategy with a random beside it, in the same panel and column (or row).

    Panels whose order is no question (``order: null``) are left out.
    """
    found = []
    for panel in table.panels:
        for along, places in _groups(panel):
            here = {name: cells[place] for name, place in places.items()}
            for one, (slot, measured) in here.items():
                name = _strategy(slot)
                beside = None if name is None else "random group=label" if "group=label" in name else "random"
                other = next((cell for key, cell in here.items() if _strategy(cell[0]) == beside and key != one), None)
                if other is None or beside is None or name == beside:
                    continue
                interval = _paired(measured, other[1])
                if interval is not None:
                    found.append(Against(panel.title, along, one, interval, _verdict(interval, table.better)))
    return found


def _strategy(slot: Slot) -> str | None:
    """Return the strategy of a slot; the best of several is none, as it was picked after the fact."""
    return slot.choices[0].strategy if len(slot.choices) == 1 else None


def _paired(one: Measured, other: Measured) -> Interval | None:
    seeds = [seed for seed in one.seeds if seed in other.by_seed]
    if not seeds:
        return None
    return measures.paired_interval([one.by_seed[seed] for seed in seeds], [other.by_seed[seed] for seed in seeds])


def _verdict(interval: Interval, better: str) -> str:
    if not measures.difference_supported(interval):
        return "open"
    return "better" if (interval.mean > 0) == (better == "higher") else "worse"


def orders(table: Table, cells: Cells) -> list[Order]:
    """Return the order of the cells of each column (or row, where a panel says so) that are printed and measured."""
    found = []
    for panel in table.panels:
        for along, places in _groups(panel):
            there = {name: cells[place] for name, place in places.items() if _comparable(cells[place])}
            if len(there) > 1:
                found.append(_order(panel.title, along, there, table.better))
    return found


def _groups(panel: Panel) -> list[tuple[str, dict[str, Place]]]:
    if panel.order == "rows":
        return [(column, {row: (panel.title, row, column) for row in panel.rows}) for column in panel.columns]
    if panel.order == "columns":
        return [(row, {column: (panel.title, row, column) for column in panel.columns}) for row in panel.rows]
    return []


def _comparable(cell: tuple[Slot, Measured]) -> bool:
    slot, measured = cell
    return slot.printed is not None and slot.printed.exact and measured.figure is not None


def _order(panel: str, along: str, there: dict[str, tuple[Slot, Measured]], better: str) -> Order:
    sign = 1 if better == "higher" else -1
    printed = {name: sign * slot.printed.value for name, (slot, _) in there.items() if slot.printed is not None}
    figures = {name: sign * (measured.figure or 0.0) for name, (_, measured) in there.items()}
    pairs = same = supported = supported_same = 0
    for one, other in combinations(there, 2):
        said = printed[one] - printed[other]
        if said == 0:
            continue
        seen = figures[one] - figures[other]
        pairs += 1
        same += said * seen > 0
        interval = _paired(there[one][1], there[other][1])
        if interval is not None and measures.difference_supported(interval):
            supported += 1
            supported_same += said * sign * interval.mean > 0
    return Order(panel, along, _ranked(printed), _ranked(figures), pairs, same, supported, supported_same)


def _ranked(values: dict[str, float]) -> str:
    names = sorted(values, key=lambda name: -values[name])
    signs = [" = " if values[one] == values[other] else " > " for one, other in pairwise(names)]
    return "".join(name + sign for name, sign in zip(names, [*signs, ""], strict=True))


def divide(table: Table, cells: Cells) -> list[Divided]:
    """Return the ratios of a table: the mean over panels for each seed that all cells have, and its interval."""
    return [_divided(ratio, cells) for ratio in table.ratios]


def _divided(ratio: Ratio, cells: Cells) -> Divided:
    found = [sides for sides in zip(*(_side(side, cells) for side in ratio.sides), strict=True) if all(sides)]
    if not found or len(found) < _measurable(ratio, cells):
        return Divided(ratio, None)
    seeds = sorted(set.intersection(*(set(values) for sides in found for values in sides)))
    numbers = [[combine(ratio.of, *(values[seed] for values in sides)) for sides in found] for seed in seeds]
    whole = [[number for number in of_seed if number is not None] for of_seed in numbers]
    complete = all(len(of_seed) == len(found) for of_seed in whole)
    if not whole or not complete:
        return Divided(ratio, None, undefined=bool(whole))
    return Divided(ratio, measures.student_interval([fmean(of_seed) for of_seed in whole]))


def _measurable(ratio: Ratio, cells: Cells) -> int:
    """Return how many of the places that it is a mean of are measured at this scale at all."""
    places = zip(*(side.panels for side in ratio.sides), strict=True)
    return sum(all(_any(side, one, cells) for side, one in zip(ratio.sides, panels, strict=True)) for panels in places)


def _any(side: Side, panel: str, cells: Cells) -> bool:
    return any(cells[panel, row, side.column][1].expected for row in side.rows)


def _side(side: Side, cells: Cells) -> list[dict[int, float]]:
    """Return for each panel the values by seed of the row with the highest mean."""
    found = []
    for panel in side.panels:
        rows = [cells[panel, row, side.column][1] for row in side.rows]
        whole = [row for row in rows if row.interval is not None]
        best: Callable[[Measured], float] = lambda row: row.interval.mean if row.interval else 0.0  # noqa: E731
        found.append(max(whole, key=best).by_seed if whole else {})
    return found
