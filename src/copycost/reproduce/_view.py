"""A table with all that is said of it, ready to be written as text, as a page or as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from copycost.reproduce._curves import LISTED, Curve, Listing, column_curves, listing, printed_curves, round_curves
from copycost.reproduce._explored import Explored, explored_of
from copycost.reproduce._judgements import Against, Cells, Divided, Order, against_random, divide, orders
from copycost.reproduce._library import Library
from copycost.reproduce._measured import Measured, differs, measure
from copycost.reproduce._records import Records
from copycost.reproduce._schema import EXPLORED, Flag, Published, Scale, Table
from copycost.reproduce._slots import Slot, audits_of, slots_of
from copycost.reproduce._words import ELSEWHERE, NOTHING, figure, measured_note, why_missing

__all__ = ["CellView", "PanelView", "Provenance", "View", "view_of"]


@dataclass(frozen=True)
class CellView:
    """A printed number beside a measured one, as texts; ``marked`` where the printed lies outside the interval."""

    row: str
    column: str
    printed: str
    notes: tuple[int, ...]
    measured: str
    below: str
    marked: bool
    setting: dict[str, Any]
    slot: Slot
    found: Measured

    @property
    def is_elsewhere(self) -> bool:
        """Whether it is measured at another scale alone."""
        return not self.found.expected and not self.slot.quoted


@dataclass(frozen=True)
class PanelView:
    """A panel: its cells by row, and its curves or lists if it is a figure.

    ``curves`` are those by round; ``by_column`` those of a figure by budget, or by share of ``shares_of``, and beside
    them the numbers as published, where these compare.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[CellView, ...]], ...]
    curves: tuple[Curve, ...]
    listing: Listing | None
    chart: str | None = None
    explored: Explored = ()
    by_column: tuple[Curve, ...] = ()
    printed_by_column: tuple[Curve, ...] = ()
    shares_of: str | None = None

    @property
    def has_printed(self) -> bool:
        """Whether anything of it is printed."""
        return any(cell.printed for _, cells in self.rows for cell in cells)

    @property
    def shows_data(self) -> bool:
        """Whether it shows data sets rather than numbers."""
        return self.chart in EXPLORED

    @property
    def counted(self) -> bool:
        """Whether its numbers are counted, not measured over seeds."""
        return all(cell.slot.builds for _, cells in self.rows for cell in cells)

    @property
    def absence(self) -> str:
        """Why nothing of it is to be measured at this scale; empty where something is."""
        cells = [cell for _, row in self.rows for cell in row]
        if any(cell.found.expected for cell in cells):
            return ""
        return "quoted" if all(cell.slot.quoted for cell in cells) else ELSEWHERE

    @property
    def printed_rows(self) -> tuple[tuple[str, tuple[CellView, ...]], ...]:
        """The rows of which anything is printed."""
        return tuple((row, cells) for row, cells in self.rows if any(cell.printed for cell in cells))

    @property
    def has_dashes(self) -> bool:
        """Whether a table of it holds a dash for what is not measured at this scale."""
        shown_else = self.curves or self.explored or self.listing is not None or self.absence
        return not shown_else and any(cell.is_elsewhere for _, cells in self.rows for cell in cells)


@dataclass(frozen=True)
class Provenance:
    """Where the records of one audit come from."""

    audit: str
    finished: int
    cells: int
    command: str | None
    machines: tuple[str, ...]


@dataclass(frozen=True)
class View:
    """Everything that a page says about a table at one scale."""

    table: Table
    scale: Scale
    comparable: bool
    panels: tuple[PanelView, ...]
    flags: tuple[Flag, ...]
    against: tuple[Against, ...]
    orders: tuple[Order, ...]
    ratios: tuple[Divided, ...]
    provenance: tuple[Provenance, ...]

    @property
    def cells(self) -> list[CellView]:
        """All cells."""
        return [cell for panel in self.panels for _, cells in panel.rows for cell in cells]

    @property
    def shown(self) -> list[PanelView]:
        """The panels that have something to show: numbers that are printed, or any to be measured at this scale."""
        return [panel for panel in self.panels if panel.has_printed or not panel.absence]

    @property
    def expected(self) -> int:
        """How many values, one a seed, the scale asks for."""
        return sum(cell.found.expected for cell in self.cells)

    @property
    def missing(self) -> int:
        """How many of them are not there."""
        return sum(cell.found.missing for cell in self.cells)

    @property
    def undefined(self) -> int:
        """Values that are not defined, though their cells were measured."""
        return sum(cell.found.undefined for cell in self.cells)

    @property
    def marked(self) -> int:
        """How many printed numbers lie outside their interval."""
        return sum(cell.marked for cell in self.cells)


def view_of(table: Table, scale: Scale, library: Library, records: Records, data_dir: Path | None = None) -> View:
    """Put together what the records say about a table; what is not measured yet is left open.

    Where data sets lie, ``data_dir``, matters only to figures that show samples.
    """
    slots = slots_of(table, scale, library)
    cells: Cells = {place: (slot, _measured(slot, table, scale, library, records)) for place, slot in slots.items()}
    comparable = scale in table.comparable
    sources = _Sources(scale, library, records, data_dir)
    return View(
        table,
        scale,
        comparable,
        tuple(_panel(table, panel.title, cells, comparable, sources) for panel in table.panels),
        table.flags,
        tuple(against_random(table, cells)),
        tuple(orders(table, cells)),
        tuple(divide(table, cells)),
        tuple(_provenance(audits_of(list(slots.values())), scale, library, records)),
    )


def _measured(slot: Slot, table: Table, scale: Scale, library: Library, records: Records) -> Measured:
    charts = {panel.title: panel.chart for panel in table.panels}
    if charts[slot.panel] in EXPLORED:  # nothing is said of it in numbers
        there = bool(slot.choices) and bool(records.exploration(slot.choices[0].audit))
        return Measured(None, None, (0,) if there else (), int(bool(slot.choices)), None)
    if charts[slot.panel] in LISTED:  # a list for each seed: no one number is made of it
        cells = slot.choices[0].cells if slot.choices else ()
        seeds = tuple(cell.seed for cell in cells if records.cell(slot.choices[0].audit, cell))
        return Measured(None, None, seeds, len(cells), slot.choices[0] if slot.choices else None)
    return measure(slot, scale, library, records)


@dataclass(frozen=True)
class _Sources:
    scale: Scale
    library: Library
    records: Records
    data_dir: Path | None


def _panel(table: Table, title: str, cells: Cells, comparable: bool, sources: _Sources) -> PanelView:
    panel = table.panel(title)
    rows = tuple(
        (row, tuple(_cell(table, *cells[title, row, column], comparable) for column in panel.columns))
        for row in panel.rows
    )
    lines = [cells[title, row, column] for row in panel.rows for column in panel.columns]
    at, library, records = sources.scale, sources.library, sources.records
    curves = round_curves(lines, records) if panel.chart == "rounds" else ()
    listed = listing(panel.chart, lines, at, library, records) if panel.chart in LISTED else None
    explored = (
        explored_of(panel.chart, lines[0][0], at, library, records, sources.data_dir) if panel.chart in EXPLORED else ()
    )
    by_column = column_curves(panel, lines) if table.kind == "figure" else ()
    printed = printed_curves(panel, lines, table.unit) if by_column and comparable else ()
    return PanelView(
        title, tuple(panel.columns), rows, curves, listed, panel.chart, explored, by_column, printed, panel.shares_of
    )


def _cell(table: Table, slot: Slot, found: Measured, comparable: bool) -> CellView:
    outside = differs(slot.printed, found, slot, table.unit)
    text = "" if found.figure is None else figure(found.figure, table.unit, slot.digits)
    reason = why_missing(slot, found)
    return CellView(
        slot.row,
        slot.column,
        "" if slot.printed is None else _as_printed(slot.printed, table.unit),
        tuple(index + 1 for index, flag in enumerate(table.flags) if flag in slot.flags and not _everywhere(flag)),
        text or (NOTHING if reason == ELSEWHERE else reason),
        measured_note(slot, found, table.unit),
        bool(outside) and comparable,
        slot.settings,
        slot,
        found,
    )


def _as_printed(printed: Published, unit: str) -> str:
    """Return a number as it is printed; table files leave out what parts the thousands of a count."""
    text = f"{'<' if printed.bounds else ''}{int(printed.value):,}" if unit == "count" else printed.text
    return text + ("…" if printed.cut else "")


def _everywhere(flag: Flag) -> bool:
    return flag.panel is None and flag.row is None and flag.column is None


def _provenance(names: Iterable[str], scale: Scale, library: Library, records: Records) -> list[Provenance]:
    found = []
    for name in names:
        cells = library.cells(name, scale)
        if not cells:
            continue
        run = records.run(name)
        there = [record for cell in cells if (record := records.cell(name, cell)) is not None]
        machines = tuple(dict.fromkeys(_machine(record["run"]["machine"]) for record in there))
        command = None if run is None else run["command"]
        found.append(Provenance(name, len(there), len(cells), command, machines))
    return found


def _machine(machine: dict[str, Any]) -> str:
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    return (
        f"copycost {machine['copycost']}, Python {machine['python']}, {packages}; {machine['cores']} cores, "
        f"{machine['processor']}, {machine['system']}"
        + ("" if machine.get("device", "cpu") == "cpu" else f", {machine['device']}")
    )
