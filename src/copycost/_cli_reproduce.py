"""The command that puts published tables beside measured ones: its arguments."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from copycost._cli_audit import need_audit

__all__ = ["reproduce"]


def reproduce(
    name: Annotated[
        str | None,
        typer.Argument(
            help="A table or figure such as activethief-table3, a paper such as activethief, or all; without one the "
            "list of them."
        ),
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="Say which there are and how far each is, and stop.")] = False,
    scale: Annotated[
        str, typer.Option(help="small: the question at a size that two cores carry. paper: the published protocol.")
    ] = "small",
    out: Annotated[Path, typer.Option(help="Folder for audits, records and pages; run again to go on.")] = Path(
        "reproduction"
    ),
    data_dir: Annotated[
        Path | None, typer.Option(help="Where data sets lie; else COPYCOST_DATA, else ~/.cache/copycost.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=256, help="Processes, one thread each; else one a core.")
    ] = None,
    device: Annotated[
        str, typer.Option(help="Where networks are trained and run: cpu, cuda, cuda:N, or auto, CUDA if there is any.")
    ] = "cpu",
    page: Annotated[bool, typer.Option("--page", help="Only write the pages from the records there are.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing.")] = False,
    log: Annotated[Path | None, typer.Option(help="File that gets a line for whatever the workers do.")] = None,
) -> None:
    """Measure what a paper published, and write both side by side with intervals."""
    need_audit()
    from copycost.reproduce import list_tables, run_command

    if listed or name is None:
        list_tables(scale, out, Console(highlight=False), name or "all")
        return
    run_command(
        name, scale, out, data_dir=data_dir, workers=workers, device=device, page_only=page, quiet=quiet, log=log
    )
