"""What the command ``copycost reduce`` does, once its arguments are read."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from copycost.errors import Stopped
from copycost.reduce._request import Request
from copycost.reduce._run import reduce

__all__ = ["run_command"]


def run_command(request: Request, *, plan_only: bool, quiet: bool) -> None:
    """Run a reduction with a bar on a terminal; with ``quiet`` print nothing.

    Raises
    ------
    CopycostError
        As `reduce`.
    Stopped
        If it is interrupted.
    """
    console = Console(quiet=quiet, highlight=False, soft_wrap=True)
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=quiet or not console.is_terminal,
    )
    try:
        with bar:
            task = bar.add_task("reading", total=1.0)
            reduce(
                request,
                say=lambda line: console.print(line, markup=False),
                report=lambda what, share: bar.update(task, description=what, completed=share),
                plan_only=plan_only,
            )
    except KeyboardInterrupt:
        raise Stopped("stopped; nothing is half written: the output is all there or as it was") from None
