"""The command that needs no torch: its arguments."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["reduce"]


def reduce(
    pool: Annotated[
        str, typer.Argument(help="What to reduce: a folder of images of any sizes, images.npz, mnist:train[:10000] …")
    ],
    out: Annotated[str, typer.Option(help="small.txt (a list), small.csv, small.npz, or the name of a new folder.")],
    size: Annotated[int | None, typer.Option(help="Images to choose; else the largest of --sizes.")] = None,
    sizes: Annotated[
        str | None, typer.Option(help="Such as 50,100,200: how the objective, and accuracy, depend on the size.")
    ] = None,
    strategy: Annotated[str, typer.Option(help="coverage, drmi or random.")] = "coverage",
    by_label: Annotated[bool, typer.Option("--by-label", help="Reduce every class to its share.")] = False,
    keep: Annotated[Path | None, typer.Option(help="File of what must be in: a file name or an index a line.")] = None,
    seed: Annotated[int, typer.Option(help="Fixes what is left to chance.")] = 0,
    reference: Annotated[int | None, typer.Option(help="Cover a sample of so many images rather than all.")] = None,
    transform: Annotated[
        str | None, typer.Option(help='How images are compared, such as "size=28x28 colour=grey"; else within 32 x 32.')
    ] = None,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave damaged files out and count them.")] = False,
    duplicates: Annotated[float, typer.Option(help="Similarity from which a pair counts as near-duplicates.")] = 0.65,
    accuracy: Annotated[
        bool, typer.Option("--accuracy/--no-accuracy", help="With --sizes and labels: train on each; needs torch.")
    ] = True,
    test: Annotated[str | None, typer.Option(help="Test set for accuracy; else a part is held out.")] = None,
    link: Annotated[bool, typer.Option("--link", help="A new folder holds links instead of copies.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier reduction.")] = False,
    data_dir: Annotated[Path | None, typer.Option(help="Where data sets lie.")] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Say what it takes, and stop.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing.")] = False,
) -> None:
    """Choose a smaller set of images that stands for a larger one; works without torch."""
    from copycost.datasets import Transform
    from copycost.reduce import Request, run_command

    request = Request(
        pool,
        out,
        size=size,
        sizes=sizes,
        strategy=strategy,
        by_label=by_label,
        keep=keep,
        seed=seed,
        reference=reference,
        transform=None if transform is None else Transform.parse(transform),
        duplicates=duplicates,
        accuracy=accuracy,
        test=test,
        skip_bad=skip_bad,
        link=link,
        overwrite=overwrite,
        data_dir=data_dir,
        command=shlex.join(["copycost", *sys.argv[1:]]),
    )
    run_command(request, plan_only=plan, quiet=quiet)
