"""Runs an audit from its plan to its report, and goes on with one that was interrupted."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from copycost.audit._executor import Message, run_tasks
from copycost.audit._plan import Plan, make_plan
from copycost.audit._records import Folder, machine, write_json
from copycost.audit._scenario import load_data
from copycost.audit._spec import AuditSpec
from copycost.audit._summary import AuditResult, read_audit
from copycost.errors import CopycostError
from copycost.networks import on_device

__all__ = ["run_audit"]

RECORDS_SCHEMA = "copycost.records/1"


def run_audit(
    spec: AuditSpec,
    out: Path,
    *,
    data_dir: Path | None = None,
    workers: int = 2,
    device: str = "cpu",
    command: str | None = None,
    planned: Callable[[Plan], None] | None = None,
    tell: Callable[[Message], None] | None = None,
    keep_memo: bool = False,
) -> AuditResult:
    """Run an audit, or go on with it, and return what it found.

    Parameters
    ----------
    spec : what to measure
    out : folder for records, ledgers and weights; one of the same spec, or of fewer seeds, budgets, strategies or
        answers, is gone on with
    data_dir : where named data sets lie
    workers : processes, one thread each
    device : where networks are trained and run: ``cpu``, ``cuda``, ``cuda:N`` or ``auto``, CUDA if there is any
    command : what the user typed, kept in the merged records
    planned : called with the plan before anything is asked
    tell : called with what the workers do
    keep_memo : leave the arrays that cells share in ``memo``, for another audit of the same pool

    Raises
    ------
    InvalidInput, SpecMismatch, LedgerError, TargetError
        Each before anything is charged where the cause can be seen then; finished cells are always kept.
    """
    folder = Folder(out)
    started = time.perf_counter()
    with on_device(device), folder.hold():
        data = load_data(spec, 0, data_dir)
        folder.check(spec)
        plan = make_plan(spec, folder, data, workers)
        del data  # each worker loads its own
        before = folder.spec()
        folder.adopt(spec)
        if planned is not None:
            planned(plan)
        try:
            run_tasks(plan.tasks, out, data_dir, workers=workers, device=device, tell=tell or (lambda message: None))
        except CopycostError:
            if before is not None:
                folder.retreat(before)
            raise
        result = read_audit(out)
        write_json(
            out / "records.json",
            {
                "schema": RECORDS_SCHEMA,
                "spec": spec.model_dump(mode="json"),
                "targets": list(result.targets),
                "cells": list(result.cells),
                "summary": result.summary(),
                "run": {
                    "command": command,
                    "machine": machine(),
                    "workers": workers,
                    "cells_run": plan.cells - plan.finished,
                    "seconds": round(time.perf_counter() - started, 1),
                },
            },
        )
        if not keep_memo:
            folder.clean()
    return result
