"""The published tables and their audits, read from the data files that come with copycost."""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from copycost.audit import AuditSpec, CellSpec, build_spec, read_config
from copycost.errors import InvalidInput
from copycost.reproduce._schema import SCALES, AuditFile, AuditPair, Scale, Table

__all__ = ["Library", "check_scale", "library"]

TABLE_SCHEMA = "copycost.table/1"
AUDITS_SCHEMA = "copycost.audits/1"
Model = TypeVar("Model", bound=BaseModel)


class Library:
    """All tables and audits of a folder of YAML files.

    Parameters
    ----------
    folder : Path
        Holds one file a table and one a family of audits; each says which it is by its ``schema``.

    Raises
    ------
    InvalidInput
        If a file is damaged, names are given twice, or a table names an audit that no file holds.
    """

    def __init__(self, folder: Path) -> None:
        tables: dict[str, Table] = {}
        audits: dict[str, AuditPair] = {}
        for path in sorted(folder.glob("*.yaml")):
            document = read_config(path)
            if document.get("schema") == TABLE_SCHEMA:
                table = _parse(Table, document, path)
                if table.name != path.stem:
                    raise InvalidInput(f"{path.name} holds the table {table.name}; name the file {table.name}.yaml.")
                tables[table.name] = table
            elif document.get("schema") == AUDITS_SCHEMA:
                found = _parse(AuditFile, document, path).audits
                twice = sorted(found.keys() & audits.keys())
                if twice:
                    raise InvalidInput(f"{path.name} holds the audit {twice[0]}, which another file holds too.")
                audits |= found
            else:
                raise InvalidInput(
                    f"{path.name} has schema {document.get('schema')!r}; {TABLE_SCHEMA} or {AUDITS_SCHEMA} is needed."
                )
        self.tables = dict(sorted(tables.items(), key=lambda item: _order(item[0])))
        self.audits = audits
        self._specs: dict[tuple[str, Scale], AuditSpec | None] = {}
        self._groups: dict[tuple[str, Scale], tuple[tuple[CellSpec, ...], ...]] = {}
        for table in self.tables.values():
            for name in _audits_named(table):
                if name not in audits:
                    raise InvalidInput(f"the table {table.name} names the audit {name!r}, which no file holds.")

    def chosen(self, name: str) -> list[Table]:
        """Return the table of a name, all tables of a paper, or ``all``.

        Raises
        ------
        InvalidInput
            For an unknown name, with the nearest known one.
        """
        if name in self.tables:
            return [self.tables[name]]
        papers = list(dict.fromkeys(known.partition("-")[0] for known in self.tables))
        if name == "all":
            return list(self.tables.values())
        if name in papers:
            return [table for known, table in self.tables.items() if known.partition("-")[0] == name]
        close = self._without_paper(name) or difflib.get_close_matches(name, [*self.tables, *papers, "all"], n=1)
        hint = f": did you mean {' or '.join(map(repr, close))}?" if close else "."
        raise InvalidInput(
            f"there is no table {name!r}{hint} Known are all, {', '.join(papers)} and what --list shows."
        )

    def _without_paper(self, name: str) -> list[str]:
        """Return the tables that are called so but for their paper: ``table3``, or nearly so."""
        items = {known: known.partition("-")[2] for known in self.tables}
        close = difflib.get_close_matches(name, sorted(set(items.values())), n=1, cutoff=0.8)
        return [known for known, item in items.items() if item in close]

    def spec(self, name: str, scale: Scale) -> AuditSpec | None:
        """Return the spec of an audit at a scale, or None where it has none.

        Raises
        ------
        InvalidInput
            If its configuration cannot be run by this version.
        """
        if (name, scale) not in self._specs:
            values = self.audits[name].values(scale)
            try:
                self._specs[name, scale] = None if values is None else build_spec(values)
            except InvalidInput as error:
                raise InvalidInput(f"the audit {name} at the scale {scale} cannot be run: {error}") from None
        return self._specs[name, scale]

    def groups(self, name: str, scale: Scale) -> tuple[tuple[CellSpec, ...], ...]:
        """Return the cells of an audit, those that differ by seed alone together, seeds in order; kept once made."""
        if (name, scale) not in self._groups:
            spec = self.spec(name, scale)
            found: dict[CellSpec, list[CellSpec]] = {}
            for cell in () if spec is None else spec.cells():
                found.setdefault(cell.model_copy(update={"seed": 0}), []).append(cell)
            self._groups[name, scale] = tuple(tuple(cells) for cells in found.values())
        return self._groups[name, scale]

    def cells(self, name: str, scale: Scale) -> list[CellSpec]:
        """Return the cells of an audit, none where the scale has it not; kept once made."""
        return [cell for group in self.groups(name, scale) for cell in group]


@functools.cache
def library() -> Library:
    """Return the tables that come with copycost."""
    with resources.as_file(resources.files("copycost").joinpath("paper")) as folder:
        return Library(folder)


def check_scale(scale: str) -> Scale:
    """Return a known scale.

    Raises
    ------
    InvalidInput
        For any other.
    """
    for known in SCALES:
        if scale == known:
            return known
    raise InvalidInput(f"the scale is {scale!r}; {' or '.join(SCALES)} is allowed.")


def _order(name: str) -> list[tuple[int, str]]:
    """Sort by paper, tables before figures, numbers by their size."""
    paper, _, rest = name.partition("-")
    parts = re.split(r"(\d+)", rest)
    key = [(int(part), "") if part.isdigit() else (0, part) for part in parts]
    return [(0, paper), (0 if rest.startswith("table") else 1, ""), *key]


def _audits_named(table: Table) -> Iterable[str]:
    for panel in table.panels:
        for settings in (panel.settings, *panel.rows.values(), *panel.columns.values()):
            value = settings.root.get("audit")
            given = value.values() if isinstance(value, dict) else [value]
            for names in given:
                yield from [names] if isinstance(names, str) else names or []


def _parse(model: type[Model], document: dict[str, Any], path: Path) -> Model:
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise InvalidInput(f"{path.name} is damaged:\n{_explain(error)}") from None


def _explain(error: ValidationError) -> str:
    lines = []
    for problem in error.errors():
        where = ".".join(str(part) for part in problem["loc"]) or "the whole"
        if problem["type"] == "value_error":
            lines.append(f"  {where}: {problem['ctx']['error']}")
        elif problem["type"] == "extra_forbidden":
            lines.append(f"  {where}: there is no such key.")
        else:
            lines.append(f"  {where}: {problem['msg'][0].lower()}{problem['msg'][1:]}.")
    return "\n".join(lines)
