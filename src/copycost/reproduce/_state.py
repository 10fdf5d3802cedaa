"""Where each published table stands: measured, in part, not yet, or in need of something."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from copycost.errors import InvalidInput, MissingExtra
from copycost.reproduce._library import Library
from copycost.reproduce._records import Records
from copycost.reproduce._schema import Need, Scale, Table
from copycost.reproduce._slots import audits_of, slots_of

__all__ = ["State", "folder_of", "state_of"]

_WORDS = {"gpu": "needs a GPU", "imagenet": "needs ImageNet", "method": "needs a method that is not there yet"}


@dataclass(frozen=True)
class State:
    """How far a table is at one scale.

    Attributes
    ----------
    table : Table
    finished, cells : int
        Cells of its audits with records, and all of them.
    words : str
        The same for people, with what it needs.
    """

    table: Table
    finished: int
    cells: int
    words: str


def folder_of(out: Path, scale: Scale) -> Path:
    """Return where the audits and pages of a scale lie."""
    return out / scale


def state_of(table: Table, scale: Scale, out: Path, library: Library) -> State:
    """Return where a table stands, from the records below ``out``."""
    needs = table.needs.get(scale, ())
    missing = [need for need in needs if need.kind == "method"]
    if missing:
        return State(table, 0, 0, _needed(missing))
    try:
        slots = list(slots_of(table, scale, library).values())
    except InvalidInput as error:
        return State(table, 0, 0, f"{_WORDS['method']}: {error}")
    except MissingExtra as error:
        return State(table, 0, 0, f"needs a package: {error}")
    if slots and all(slot.builds for slot in slots):
        return State(table, 0, 0, "counted anew whenever it is asked for")
    records, finished, cells = Records(folder_of(out, scale)), 0, 0
    for name in audits_of(slots):
        own = library.cells(name, scale)
        cells += len(own)
        try:
            finished += records.count(name, own)
        except InvalidInput as error:
            return State(table, 0, 0, str(error))
    if not cells:
        return State(table, 0, 0, _elsewhere(table, scale))
    return State(table, finished, cells, _progress(finished, cells, needs))


def _elsewhere(table: Table, scale: Scale) -> str:
    """Say that a scale has nothing of a table, and what another, which may have it, needs."""
    others = [f"{other}: {_needed(list(needs))}" for other, needs in table.needs.items() if other != scale and needs]
    return f"not at this scale ({'; '.join(others)})" if others else "not at this scale"


def _progress(finished: int, cells: int, needs: tuple[Need, ...]) -> str:
    if finished == cells:
        return "measured"
    progress = f"{finished:,} of {cells:,} cells measured" if finished else "not measured"
    return f"{progress}; {_needed(list(needs))}" if needs else progress


def _needed(needs: list[Need]) -> str:
    return "; ".join(f"{_WORDS[need.kind]}{': ' + need.what if need.what else ''}" for need in needs)
