"""The records of the audits below one folder, as far as they are there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from copycost.audit import AuditSpec, CellSpec, Folder
from copycost.audit._records import CELL_SCHEMA, TARGET_SCHEMA, read_json
from copycost.audit._run import RECORDS_SCHEMA
from copycost.audit._tasks import target_key
from copycost.errors import InvalidInput
from copycost.exploration import Exploration, read_exploration

__all__ = ["Records"]

Record = dict[str, Any]
_CELL: dict[str, type] = {"key": str, "target": str, "result": dict, "run": dict}
_TARGET: dict[str, type] = {"result": dict, "classes": list}


class Records:
    """Finds what audits left in ``folder/NAME``, whole or in part; merged records alone do as well.

    Parameters
    ----------
    folder : Path
        Holds a folder for each audit.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._merged: dict[str, Record] = {}
        self._read: dict[Path, Record | None] = {}

    def cell(self, audit: str, cell: CellSpec) -> Record | None:
        """Return the record of a cell, or None where it is not finished."""
        key = cell.key
        found = self._one(Folder(self._folder / audit).cell(key) / "record.json", CELL_SCHEMA)
        return found or next((one for one in self._all(audit, "cells") if one["key"] == key), None)

    def target(self, audit: str, spec: AuditSpec, seed: int) -> Record | None:
        """Return the record of a seed's target, or None where it is not prepared."""
        key = target_key(spec, seed)
        found = self._one(Folder(self._folder / audit).target(key) / "record.json", TARGET_SCHEMA)
        if found is not None:
            return found
        held = next((one for one in self._all(audit, "cells") if one["target"] == key), None)
        targets = self._all(audit, "targets")
        return None if held is None else next((one for one in targets if one.get("seed", -1) in (None, seed)), None)

    def count(self, audit: str, cells: Sequence[CellSpec]) -> int:
        """Return how many cells of an audit are finished; what is in their records is not looked at."""
        merged = {one["key"] for one in self.merged(audit, cells)}
        folder = Folder(self._folder / audit)
        keys = [cell.key for cell in cells]
        return sum(key in merged or (folder.cell(key) / "record.json").exists() for key in keys)

    def merged(self, audit: str, cells: Sequence[CellSpec]) -> list[Record]:
        """Return the records of those cells of an audit that are in its merged records."""
        wanted = {cell.key for cell in cells}
        return [one for one in self._all(audit, "cells") if one["key"] in wanted]

    def run(self, audit: str) -> Record | None:
        """Return how an audit was run, once it was run to its end."""
        merged = self._merge(audit)
        return merged.get("run")

    def exploration(self, audit: str) -> dict[str, Exploration]:
        """Return what an audit found of its data before it began, by role; nothing where it did not look."""
        return read_exploration(Folder(self._folder / audit).exploration)

    def _all(self, audit: str, part: str) -> list[Record]:
        found: list[Record] = self._merge(audit).get(part, [])
        return found

    def _merge(self, audit: str) -> Record:
        if audit not in self._merged:
            path = self._folder / audit / "records.json"
            found = read_json(path, RECORDS_SCHEMA) if path.exists() else {"cells": [], "targets": []}
            _check(path, found, lists={"cells": _CELL, "targets": _TARGET})
            self._merged[audit] = found
        return self._merged[audit]

    def _one(self, path: Path, schema: str) -> Record | None:
        if path not in self._read:
            found = read_json(path, schema) if path.exists() else None
            if found is not None:
                _check(path, {"it": [found]}, lists={"it": _CELL if schema == CELL_SCHEMA else _TARGET})
            self._read[path] = found
        return self._read[path]


def _check(path: Path, document: Record, *, lists: dict[str, dict[str, type]]) -> None:
    """Refuse what was changed or cut by hand, rather than fail somewhere on a page."""
    for name, fields in lists.items():
        entries = document.get(name)
        if not isinstance(entries, list) or not all(_has(one, fields) for one in entries):
            raise InvalidInput(
                f"{path} is damaged (what it holds of {name} is not what an audit writes); move it away and run "
                "copycost reproduce again on the same folder."
            )


def _has(entry: Any, fields: dict[str, type]) -> bool:
    return isinstance(entry, dict) and all(isinstance(entry.get(name), kind) for name, kind in fields.items())
