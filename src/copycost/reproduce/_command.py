"""What ``copycost reproduce`` does, once its arguments are read."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from copycost._console import print_plan
from copycost._progress import Display
from copycost.audit import Plan
from copycost.audit._executor import Message
from copycost.errors import Stopped
from copycost.reproduce._library import Library, check_scale, library
from copycost.reproduce._run import render, reproduce
from copycost.reproduce._sentences import against_summary, compared, progress
from copycost.reproduce._state import folder_of, state_of
from copycost.reproduce._view import View

__all__ = ["list_tables", "run_command"]


def list_tables(scale: str, out: Path, console: Console, name: str = "all", *, tables: Library | None = None) -> None:
    """Print each published table with its state at a scale, from the records below ``out``."""
    at, tables = check_scale(scale), tables or library()
    grid = Grid("name", "title", "state", title=f"scale {at}", title_justify="left")
    for table in tables.chosen(name):
        grid.add_row(table.name, escape(table.title), escape(state_of(table, at, out, tables).words))
    console.print(grid)


def run_command(
    name: str,
    scale: str,
    out: Path,
    *,
    data_dir: Path | None = None,
    workers: int | None = None,
    device: str = "cpu",
    page_only: bool = False,
    quiet: bool = False,
    log: Path | None = None,
) -> None:
    """Measure the tables of a name, unless only their pages are wanted, and print what came of it and where it is."""
    at = check_scale(scale)
    console = Console(quiet=quiet, highlight=False)
    views = (
        render(name, at, out, data_dir=data_dir)
        if page_only
        else _measured(name, at, out, data_dir, workers, device, console, log)
    )
    for view in views:
        _print(view, folder_of(out, at), console)


def _measured(
    name: str,
    scale: str,
    out: Path,
    data_dir: Path | None,
    workers: int | None,
    device: str,
    console: Console,
    log: Path | None,
) -> list[View]:
    with _Displays(console, log) as displays:
        try:
            return reproduce(
                name,
                scale,
                out,
                data_dir=data_dir,
                workers=workers or os.cpu_count() or 1,
                device=device,
                planned=displays.planned,
                tell=displays.tell,
                started=displays.started,
            )
        except KeyboardInterrupt:
            raise Stopped("stopped; finished cells are kept. Run the same command again to go on.") from None


class _Displays:
    """A display of its own for every audit, as each has a plan of its own."""

    def __init__(self, console: Console, log: Path | None) -> None:
        self._console, self._log = console, log
        self._stack = ExitStack()
        self._display: Display | None = None

    def started(self, audit: str, place: int, count: int) -> None:
        """Close the display of the audit before and open one for the next."""
        self._stack.close()
        self._console.print(f"audit {place + 1} of {count}: {audit}", markup=False)
        self._display = self._stack.enter_context(Display(self._console, self._log))

    def planned(self, plan: Plan) -> None:
        """Print the plan and start its bar."""
        print_plan(plan, self._console)
        if self._display is not None:
            self._display.begin(plan)

    def tell(self, message: Message) -> None:
        """Show what a worker says."""
        if self._display is not None:
            self._display.tell(message)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)


def _print(view: View, folder: Path, console: Console) -> None:
    console.print(f"{view.table.name}: {progress(view)}", markup=False)
    for sentence in (compared(view), against_summary(view) if view.against else ""):
        if sentence:
            console.print(Padding(Text(sentence), (0, 0, 0, 4)))
    console.print(f"    {folder / view.table.name}.html", markup=False, soft_wrap=True)
