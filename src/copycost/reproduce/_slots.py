"""From a printed cell to the cells of an audit that measure it, at one scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from copycost.audit import CellSpec
from copycost.errors import InvalidInput
from copycost.reproduce._library import Library
from copycost.reproduce._schema import EXPLORED, SCALES, Flag, Panel, Published, Scale, Table
from copycost.reproduce._settings import SEARCHED, checked

__all__ = ["Choice", "Slot", "audits_of", "slots_of"]


@dataclass(frozen=True)
class Choice:
    """One way to fill a slot: an audit and the cells of it that differ by seed alone, seeds in order."""

    audit: str
    cells: tuple[CellSpec, ...]

    @property
    def strategy(self) -> str:
        """The strategy of these cells."""
        return self.cells[0].strategy


@dataclass(frozen=True)
class Slot:
    """A cell of a published table at one scale.

    Attributes
    ----------
    panel, row, column : str
    measure : str
        Path of the figure in a record.
    statistic : str
        What is taken over seeds.
    printed : Published or None
        The number as printed.
    flags : tuple of Flag
        Footnotes to it.
    settings : dict
        All that was set for it at this scale.
    choices : tuple of Choice
        One, or one for each strategy of which the best is meant; none where it is not measured at this scale.
    quoted : bool
        Whether it is measured at no scale.
    """

    panel: str
    row: str
    column: str
    measure: str
    statistic: str
    printed: Published | None
    flags: tuple[Flag, ...]
    settings: dict[str, Any]
    choices: tuple[Choice, ...]
    quoted: bool = False

    @property
    def builds(self) -> bool:
        """Whether it is measured by building a network rather than from records."""
        return self.measure.startswith("architecture.")

    @property
    def digits(self) -> int:
        """Digits after the point as printed; none where nothing is."""
        return self.printed.digits if self.printed else 0


def slots_of(table: Table, scale: Scale, library: Library) -> dict[tuple[str, str, str], Slot]:
    """Return the slots of a table by panel, row and column.

    Raises
    ------
    InvalidInput
        If the settings of a cell fit no cell of its audit, or several; or an audit cannot be run.
    """
    return {
        (panel.title, row, column): _slot(table, panel, row, column, scale, library)
        for panel in table.panels
        for row in panel.rows
        for column in panel.columns
    }


def audits_of(slots: Sequence[Slot]) -> list[str]:
    """Return the audits that slots are measured by, each once, in order."""
    return list(dict.fromkeys(choice.audit for slot in slots for choice in slot.choices))


def _slot(table: Table, panel: Panel, row: str, column: str, scale: Scale, library: Library) -> Slot:
    flags = tuple(flag for flag in table.flags if _meant(flag, panel.title, row, column))
    text = panel.printed(row, column)
    cut = next((flag.between for flag in flags if flag.between is not None), None)
    given = (panel.settings, panel.rows[row], panel.columns[column])
    parts = [part.at(scale) for part in given]
    settings: dict[str, Any] = {}
    for part in parts:
        settings |= part or {}
    measure = settings.get("measure", panel.measure)
    choices: tuple[Choice, ...] = ()
    if all(part is not None for part in parts) and not measure.startswith("architecture."):
        try:
            shared = measure.removeprefix("1 - ").startswith("target.") or panel.chart in EXPLORED
            choices = _choices(settings, scale, library, any_cell=shared)
        except InvalidInput as error:
            raise InvalidInput(f"{table.name}, {panel.title}, {row}, {column}: {error}") from None
    return Slot(
        panel.title,
        row,
        column,
        measure,
        settings.get("statistic", "mean"),
        None if text is None else Published(text=text, cut=cut),
        flags,
        settings if all(part is not None for part in parts) else {},
        choices,
        quoted=not any(all(part.at(one) is not None for part in given) for one in SCALES),
    )


def _meant(flag: Flag, panel: str, row: str, column: str) -> bool:
    pairs = ((flag.panel, panel), (flag.row, row), (flag.column, column))
    return all(place is None or place == here for place, here in pairs)


def _choices(settings: dict[str, Any], scale: Scale, library: Library, *, any_cell: bool) -> tuple[Choice, ...]:
    named = settings.get("audit", [])
    names = [named] if isinstance(named, str) else list(named)
    if not names:
        raise InvalidInput("its settings name no audit.")
    if all(library.spec(name, scale) is None for name in names):
        return ()
    wanted = _wanted(settings)
    choices = tuple(
        Choice(name, cells)
        for name in names
        for cells in library.groups(name, scale)
        if all(getattr(cells[0], key) in values for key, values in wanted.items())
    )
    if not choices and any(library.spec(name, scale) is None for name in names):
        return ()
    if any_cell:
        choices = choices[:1]
    strategies = [choice.strategy for choice in choices]
    if not choices or len(set(strategies)) < len(strategies) or (len(choices) > 1 and "strategy" not in wanted):
        raise InvalidInput(
            f"its settings fit {len(choices)} groups of cells of {', '.join(names)} at the scale {scale}; "
            "one is needed, or one for each strategy of a list."
        )
    return choices


def _wanted(settings: dict[str, Any]) -> dict[str, list[Any]]:
    """Return the values that fields of a cell's spec may have, in their canonical form."""
    found = {}
    for name in SEARCHED:
        if name in settings and settings[name] is not None:
            given = settings[name]
            several = isinstance(given, list) and name == "strategy"
            try:
                found[name] = [checked(name, value) for value in (given if several else [given])]
            except (ValidationError, InvalidInput) as error:
                raise InvalidInput(f"{name} is {given!r}: {error}") from None
    return found
