"""Runs the audits that a table refers to, and writes its pages from their records."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from copycost._whole import written_whole
from copycost.audit import AuditSpec, CellSpec, Folder, Plan, run_audit
from copycost.audit._executor import Message
from copycost.audit._records import TARGET_SCHEMA, read_json, write_json
from copycost.audit._tasks import finished, network_key, target_key
from copycost.errors import CopycostError, InvalidInput, LedgerError, MissingData, SpecMismatch
from copycost.networks import check_device
from copycost.oracle import Ledger
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
    device: str = "cpu",
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
    device : where networks are trained and run, as of `copycost.audit.run_audit`
    tell, planned : as of `copycost.audit.run_audit`
    started : called before each audit that is not finished, with its name, its place and how many there are
    tables : other tables than those that come with copycost

    Returns
    -------
    list of View
        What each page says.

    Raises
    ------
    InvalidInput
        For an unknown name or scale; if a table alone was asked for and needs a method that is not there; if ``out``
        cannot be written; and as of `copycost.audit.run_audit`, after all other audits were run.
    MissingData
        If audits lack a data set; after all others were run and the pages written.
    SpecMismatch
        If folders hold audits of other specs, as of another version; after all others were run, too.
    """
    tables = tables or library()
    chosen, at = tables.chosen(name), check_scale(scale)
    check_device(device)
    able = [table for table in chosen if not _lacks_method(table, at)]
    if not able:
        what = "; ".join(need.what for need in chosen[0].needs[at] if need.kind == "method")
        raise InvalidInput(f"{name} needs a method that copycost does not have yet at the scale {scale}: {what}.")
    folder = folder_of(out, at)
    _make(folder)
    run = partial(
        run_audit,
        data_dir=data_dir,
        workers=workers,
        device=device,
        command=f"copycost reproduce {name} --scale {scale}",
        planned=planned,
        tell=tell,
        keep_memo=True,
    )
    names = _audits(able, at, tables)
    lacking = _measure(names, at, folder, tables, run, started or (lambda audit, place, count: None))
    for audit in tables.audits:
        _clean(folder / audit)
    views = render(name, scale, out, data_dir=data_dir, tables=tables)
    if lacking:
        lines = [f"{', '.join(audits)}: not measured. {why}" for why, (_, audits) in lacking.items()]
        kinds = {kind for kind, _ in lacking.values()}
        raised = next(kind for kind in (SpecMismatch, InvalidInput, MissingData) if kind in kinds)
        raise raised("\n".join([*lines, f"What could be measured is on the pages in {folder}."]))
    return views


def _measure(
    names: Sequence[str],
    scale: Scale,
    folder: Path,
    tables: Library,
    run: Callable[[AuditSpec, Path], object],
    started: Started,
) -> dict[str, tuple[type[CopycostError], list[str]]]:
    """Run what is not finished; return why some could not be, and which, as none should wait for another."""
    lacking: dict[str, tuple[type[CopycostError], list[str]]] = {}
    for place, audit in enumerate(names):
        spec = tables.spec(audit, scale)
        assert spec is not None  # a slot names only audits that the scale has
        if _is_finished(tables.cells(audit, scale), folder / audit):
            continue
        started(audit, place, len(names))
        others = [folder / other for other in tables.audits if other != audit]
        try:
            with (mine := Folder(folder / audit)).hold():
                if mine.check(spec) and mine.spec() is None:
                    mine.adopt(spec)  # a wider one is adopted once its plan is made
                _lay_out(mine, tables.cells(audit, scale))
                _share_targets(spec, mine.path, others)
                _share_networks(spec, mine.path, others)
                _lend_memo(mine.path, others)
            run(spec, folder / audit)
        except (MissingData, SpecMismatch, InvalidInput) as error:
            lacking.setdefault(str(error), (type(error), []))[1].append(audit)
    return lacking


def render(
    name: str, scale: str, out: Path, *, data_dir: Path | None = None, tables: Library | None = None
) -> list[View]:
    """Write the pages of published tables from the records there are; runs nothing. Parameters as of `reproduce`."""
    tables = tables or library()
    chosen, at = tables.chosen(name), check_scale(scale)
    folder = folder_of(out, at)
    records, views = Records(folder), []
    _make(folder)
    for table in chosen:
        if _lacks_method(table, at):
            continue
        view = view_of(table, at, tables, records, data_dir)
        for suffix, page in ((".md", markdown(view)), (".html", html(view))):
            with written_whole(folder / f"{table.name}{suffix}") as part:
                part.write_text(page, encoding="utf-8")
        write_json(folder / f"{table.name}.json", document(view))
        views.append(view)
    return views


def _lacks_method(table: Table, scale: Scale) -> bool:
    return any(need.kind == "method" for need in table.needs.get(scale, ()))


def _audits(chosen: Sequence[Table], scale: Scale, tables: Library) -> list[str]:
    return audits_of([slot for table in chosen for slot in slots_of(table, scale, tables).values()])


def _is_finished(cells: Sequence[CellSpec], folder: Path) -> bool:
    """Whether nothing is left to run or to merge; an audit whose merged records alone were kept is finished too."""
    return len(Records(folder.parent).merged(folder.name, cells)) == len(cells)


def _lay_out(folder: Folder, cells: Sequence[CellSpec]) -> None:
    """Lay out cells of which merged records alone were kept, so that an audit that grew since goes on from them."""
    for record in Records(folder.path.parent).merged(folder.path.name, cells):
        file = folder.cell(record["key"]) / "record.json"
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            write_json(file, record)


def _share_targets(spec: AuditSpec, folder: Path, others: Sequence[Path]) -> None:
    """Copy prepared targets that another audit of this scale has: the same spec and seed give the same target.

    One that was looked into comes first, as its ledger holds the looks. One whose ledger another run has open is left
    alone.
    """
    for key in dict.fromkeys(target_key(spec, seed) for seed in range(spec.seeds)):
        if (mine := Folder(folder).target(key)).exists():
            continue
        there = [one for other in others if finished(one := Folder(other).target(key), TARGET_SCHEMA)]
        there.sort(key=lambda one: not read_json(one / "record.json", TARGET_SCHEMA)["run"]["counts"].get("insider"))
        for source in there:
            with suppress(LedgerError):
                _copy_target(source, mine)
                break


def _copy_target(source: Path, mine: Path) -> None:
    part = mine.with_name(mine.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.parent.mkdir(parents=True, exist_ok=True)
    passing = shutil.ignore_patterns("insider.npy*", "*.part", "*.lock", "*-shm")
    with Ledger(source / "ledger.sqlite", patience=0.0):
        shutil.copytree(source, part, ignore=passing)
    part.rename(mine)


def _share_networks(spec: AuditSpec, folder: Path, others: Sequence[Path]) -> None:
    """Copy networks that another audit of this scale trained as this one would, though what it asked them differs."""
    seeds = range(spec.seeds if spec.trains_target else 0)
    missing = {network_key(spec, seed): mine for seed in seeds if not (mine := _target(folder, spec, seed)).exists()}
    for other in others if missing else ():
        with suppress(CopycostError):  # one that cannot be read lends nothing
            theirs = Folder(other).spec()
            for seed in range(theirs.seeds if theirs is not None and theirs.trains_target else 0):
                assert theirs is not None
                source, key = _target(other, theirs, seed), network_key(theirs, seed)
                if key in missing and finished(source, TARGET_SCHEMA):
                    _copy_networks(source, missing.pop(key), spec.ceiling)


def _target(folder: Path, spec: AuditSpec, seed: int) -> Path:
    return Folder(folder).target(target_key(spec, seed))


def _copy_networks(source: Path, mine: Path, ceiling: bool) -> None:
    part = mine.with_name(mine.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    for name in ("target", "ceiling") if ceiling else ("target",):
        files = [source / f"{name}{suffix}" for suffix in (".json", ".safetensors")]
        for file in files if all(file.exists() for file in files) else ():
            shutil.copy2(file, part)
    part.rename(mine)


def _lend_memo(folder: Path, others: Sequence[Path]) -> None:
    """Move what other audits have worked out of their pools to the next: each file is named by what it depends on."""
    memo = Folder(folder).memo
    for other in others:
        with _at_rest(other) as rests:
            for file in Folder(other).memo.glob("*.npy") if rests else ():
                memo.mkdir(parents=True, exist_ok=True)
                file.replace(memo / file.name)


def _clean(folder: Path) -> None:
    with _at_rest(folder) as rests:
        if rests:
            Folder(folder).clean()


@contextmanager
def _at_rest(folder: Path) -> Iterator[bool]:
    """Hold an audit's folder for a moment; False where there is no audit, or another run is at it."""
    audit = Folder(folder)
    if not audit.spec_file.exists():
        yield False
        return
    try:
        lock = audit.hold()
    except CopycostError:
        yield False
        return
    with lock:
        yield True


def _make(folder: Path) -> None:
    """Make the folder of a scale, before anything is measured that could not be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(
            f"{folder} cannot be written ({error.strerror}); make room or choose another folder with --out."
        ) from None
