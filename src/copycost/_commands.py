"""What commands do, once their arguments are read."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from rich.console import Console

from copycost._console import print_plan
from copycost._progress import Display
from copycost.audit import AuditResult, AuditSpec, Folder, Plan, load_data, make_plan, run_audit
from copycost.errors import Stopped
from copycost.networks import on_device

__all__ = ["plan_audit", "run"]


def plan_audit(spec: AuditSpec, out: Path, data_dir: Path | None, workers: int | None, device: str = "cpu") -> Plan:
    """Return the plan of an audit; nothing is asked or written, and what the run would refuse at once is refused."""
    folder = Folder(out)
    folder.check(spec)
    with on_device(device):
        return make_plan(spec, folder, load_data(spec, 0, data_dir), _processes(workers))


def run(
    spec: AuditSpec,
    out: Path,
    data_dir: Path | None,
    workers: int | None,
    console: Console,
    log: Path | None,
    *,
    device: str = "cpu",
) -> AuditResult:
    """Run an audit with its plan, its progress and its log."""
    with Display(console, log) as display:

        def planned(found: Plan) -> None:
            print_plan(found, console)
            display.begin(found)

        try:
            return run_audit(
                spec,
                out,
                data_dir=data_dir,
                workers=_processes(workers),
                device=device,
                command=shlex.join(["copycost", *sys.argv[1:]]),
                planned=planned,
                tell=display.tell,
            )
        except KeyboardInterrupt:
            raise Stopped("stopped; finished cells are kept. Run the same command again to go on.") from None


def _processes(workers: int | None) -> int:
    return workers or os.cpu_count() or 1
