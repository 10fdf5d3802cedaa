"""Runs the audits that a table refers to, and writes its pages from their records."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from copycost.audit import AuditSpec, Folder, Plan, run_audit
from copycost.audit._executor import Message
from copycost.audit._records import TARGET_SCHEMA, write_json
from copycost.audit._tasks import finished, target_key
from copycost.errors import InvalidInput
from copycost.reproduce._document import document
from copycost.reproduce._html import html
from copycost.reproduce._library import Library, check_scale, library
from copycost.reproduce._markdown import markdown
from copycost.reproduce._records import Records
from copycost.reproduce._schema import Scale, Table
from copycost.reproduce._slots import audits_of, slots_of
from copycost.reproduce._state import folder_of
from copycost.reproduce._view import View, view_of

__all__ = ["Started", "render", "reproduce"]

Tell = Callable[[Message], None]
Planned = Callable[[Plan], None]
Started = Callable[[str, int, int], None]


def reproduce(
    name: str,
    scale: str,
    out: Path,
    *,
    data_dir: Path | None = None,
    workers: int = 2,
    tell: Tell | None = None,
    planned: Planned | None = None,
    started: Started | None = None,
    tables: Library | None = None,
) -> list[View]:
    """Measure published tables, or go on with it, and write a page of each as ``.md``, ``.json`` and ``.html``.

    Parameters
    ----------
    name : a table (``activethief-table3``), all of a paper (``activethief``), or ``all``
    scale : "small", for two cores, or "paper", the published protocol
    out : audits lie in ``out/SCALE/AUDIT`` and are gone on with; pages are ``out/SCALE/TABLE.*``
    data_dir : where named data sets lie
    workers : processes, one thread each
    tell, planned : as of `copycost.audit.run_audit`
    started : called before each audit with its name, its place and how many there are
    tables : other tables than those that come with copycost

    Returns
    -------
    list of View
        What each page says.

    Raises
    ------
    InvalidInput
        For an unknown name or scale; if a table alone was asked for and needs a method that is not there; and as of
        `copycost.audit.run_audit`. What is finished is kept.
    """
    tables = tables or library()
    chosen, at = tables.chosen(name), check_scale(scale)
    able = [table for table in chosen if not _lacks_method(table, at)]
    if not able:
        what = "; ".join(need.what for need in chosen[0].needs[at] if need.kind == "method")
        raise InvalidInput(f"{name} needs a method that copycost does not have yet at the scale {scale}: {what}.")
    folder = folder_of(out, at)
    command = f"copycost reproduce {name} --scale {scale}"
    names = _audits(able, at, tables)
    for place, audit in enumerate(names):
        spec = tables.spec(audit, at)
        assert spec is not None  # a slot names only audits that the scale has
        if started is not None:
            started(audit, place, len(names))
        if not _is_finished(spec, folder / audit):
            others = [folder / other for other in tables.audits if other != audit]
            _share_targets(spec, folder / audit, others)
            _lend_memo(folder / audit, [folder, *others])
            run_audit(
                spec,
                folder / audit,
                data_dir=data_dir,
                workers=workers,
                command=command,
                planned=planned,
                tell=tell,
                keep_memo=True,
            )
    for each in [folder, *(folder / audit for audit in tables.audits)]:
        shutil.rmtree(Folder(each).memo, ignore_errors=True)
    return render(name, scale, out, data_dir=data_dir, tables=tables)


def render(
    name: str, scale: str, out: Path, *, data_dir: Path | None = None, tables: Library | None = None
) -> list[View]:
    """Write the pages of published tables from the records there are; runs nothing. Parameters as of `reproduce`."""
    tables = tables or library()
    chosen, at = tables.chosen(name), check_scale(scale)
    folder = folder_of(out, at)
    records, views = Records(folder), []
    folder.mkdir(parents=True, exist_ok=True)
    for table in chosen:
        if _lacks_method(table, at):
            continue
        view = view_of(table, at, tables, records, data_dir)
        _write(folder / f"{table.name}.md", markdown(view))
        _write(folder / f"{table.name}.html", html(view))
        write_json(folder / f"{table.name}.json", document(view))
        views.append(view)
    return views


def _lacks_method(table: Table, scale: Scale) -> bool:
    return any(need.kind == "method" for need in table.needs.get(scale, ()))


def _audits(chosen: Sequence[Table], scale: Scale, tables: Library) -> list[str]:
    return audits_of([slot for table in chosen for slot in slots_of(table, scale, tables).values()])


def _is_finished(spec: AuditSpec, folder: Path) -> bool:
    """Whether nothing is left to run; an audit whose merged records alone were kept is finished too."""
    return (folder / "records.json").exists() and Records(folder.parent).count(folder.name, spec) == len(spec.cells())


def _share_targets(spec: AuditSpec, folder: Path, others: Sequence[Path]) -> None:
    """Copy prepared targets that another audit of this scale has: the same spec and seed give the same target."""
    for key in dict.fromkeys(target_key(spec, seed) for seed in range(spec.seeds)):
        mine = Folder(folder).target(key)
        source = next((one for other in others if finished(one := Folder(other).target(key), TARGET_SCHEMA)), None)
        if source is not None and not mine.exists():
            part = mine.with_name(mine.name + ".part")
            shutil.rmtree(part, ignore_errors=True)
            part.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(source, part)
            part.rename(mine)


def _lend_memo(folder: Path, others: Sequence[Path]) -> None:
    """Move what other audits have worked out of their pools to the next: each file is named by what it depends on."""
    memo = Folder(folder).memo
    for other in others:
        for file in Folder(other).memo.glob("*.npy"):
            memo.mkdir(parents=True, exist_ok=True)
            file.replace(memo / file.name)


def _write(path: Path, text: str) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
