"""What a reduction leaves: its record, its files, and what is said about them."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from copycost._version import __version__
from copycost.errors import InvalidInput
from copycost.reduce._chart import draw_curve
from copycost.reduce._choice import Sampled
from copycost.reduce._curve import write_curve
from copycost.reduce._duplicates import Duplicates
from copycost.reduce._output import SCHEMA
from copycost.reduce._pool import Pool
from copycost.reduce._request import Found, Plan
from copycost.reduce._sheet import MOST_SHOWN, write_sheet
from copycost.reduce._write import WRITERS, write_table

__all__ = ["make_record", "tell", "write_all"]

_SHOWN_CLASSES = 20


def make_record(plan: Plan, found: Found, seconds: float) -> dict[str, Any]:
    """Return the record of a reduction, ready for JSON."""
    request, pool = plan.request, plan.pool
    return {
        "schema": SCHEMA,
        "copycost": __version__,
        "command": request.command,
        "kind": plan.output.kind,
        "pool": {
            "name": request.pool,
            "images": len(pool),
            "digest": pool.compared.digest(),
            "compared": pool.comparison(),
            "transform": str(pool.transform),
            "notes": dict(pool.data.notes),
        },
        "strategy": request.strategy,
        "by_label": request.by_label,
        "seed": request.seed,
        "reference": plan.reference,
        "size": plan.size,
        "kept": plan.keep.tolist(),
        "chosen": found.chosen.tolist(),
        "coverage": found.nearest.coverage,
        "sampled": None
        if found.sampled is None
        else {**dataclasses.asdict(found.sampled), "error": found.sampled.error},
        "classes": _balance(plan, found),
        "duplicates": {
            "threshold": request.duplicates,
            "pairs": len(found.duplicates),
            "images": found.duplicates.images(),
            "among": found.duplicates.among,
            "cut": found.duplicates.cut,
        },
        "curve": [dataclasses.asdict(point) for point in found.points],
        "run": {
            "seconds": round(seconds, 3),
            "expected_seconds": round(plan.estimate.seconds, 3),
            "expected_memory": plan.estimate.memory,
            "python": platform.python_version(),
            "numpy": np.__version__,
            "cores": os.cpu_count(),
        },
    }


def _balance(plan: Plan, found: Found) -> dict[str, list[int]] | None:
    """Return the images of each class, before and after."""
    data = plan.pool.data
    if data.labels is None:
        return None
    before = np.bincount(data.labels, minlength=len(data.classes)).tolist()
    after = np.bincount(data.labels[found.chosen], minlength=len(data.classes)).tolist()
    return {name: [old, new] for name, old, new in zip(data.classes, before, after, strict=True)}


def write_all(plan: Plan, found: Found, record: dict[str, Any]) -> None:
    """Write everything into a folder beside OUT, then move it into place.

    Raises
    ------
    InvalidInput
        If it cannot be written; what was there before is then as it was.
    """
    output = plan.output
    try:
        scratch = output.prepare()
        try:
            output.replace(scratch, [*_written(plan, found, record, scratch), output.path.name])
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    except OSError as error:
        raise InvalidInput(
            f"{output.path} cannot be written ({error.strerror}); make room, or choose another --out."
        ) from error


def _written(plan: Plan, found: Found, record: dict[str, Any], scratch: Path) -> list[str]:
    """Write everything into ``scratch``; return the names of what goes with OUT, the record last."""
    output, pool = plan.output, plan.pool
    made = scratch / output.path.name
    WRITERS[output.kind](made, pool, found.chosen, found.nearest, found.similarity, plan.request.link)
    files = sorted(path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_symlink() or path.is_file())
    names = ["sheet.png", "duplicates.csv", *(["curve.csv", "curve.svg"] if found.points else []), "record.json"]
    beside = {name: scratch / output.beside(name).name for name in names}
    write_sheet(beside["sheet.png"], pool.as_read.take(found.chosen))
    _write_duplicates(beside["duplicates.csv"], pool, found.duplicates)
    if found.points:
        write_curve(beside["curve.csv"], found.points)
        draw_curve(beside["curve.svg"], found.points)
    record |= {"files": files} if output.kind == "folder" else {}
    text = json.dumps(record, indent=1) + "\n"
    beside["record.json"].write_text(text, encoding="utf-8", errors="backslashreplace")
    return [place.name for place in beside.values()]


def _write_duplicates(path: Path, pool: Pool, found: Duplicates) -> None:
    rows = [
        (first, second, pool.name(first), pool.name(second), f"{value:.6f}")
        for first, second, value in zip(
            found.first.tolist(), found.second.tolist(), found.similarity.tolist(), strict=True
        )
    ]
    write_table(path, ("first", "second", "first_name", "second_name", "similarity"), rows)


def _error_of(plan: Plan, sampled: Sampled) -> str:
    what = "the nearest chosen of its class" if plan.request.by_label else "the nearest chosen"
    chance = "" if sampled.standard_error is None else f"; its standard error is {sampled.standard_error:.4f}"
    return (
        f"the sample's own error: it puts the similarity to {what} at {sampled.estimate:.4f} where it is "
        f"{sampled.value:.4f} over all, an error of {sampled.error:+.4f}{chance}, and beyond that the choice suits the "
        "sample more than the rest (a larger --reference makes both smaller)"
    )


def tell(plan: Plan, found: Found, say: Callable[[str], None]) -> None:
    """Say what was found and where it lies."""
    output, twins = plan.output, found.duplicates
    say(f"{plan.size:,} of {len(plan.pool):,} images: {output.path}")
    say(f"mean similarity of an image to the nearest chosen: {found.nearest.coverage:.4f} (1 is equal, 0 unrelated)")
    if found.sampled is not None:
        say(_error_of(plan, found.sampled))
    balance = _balance(plan, found)
    if balance is not None:
        say("class: images before, after")
        there = [(name, before, after) for name, (before, after) in balance.items() if before]
        for name, before, after in there[:_SHOWN_CLASSES]:
            say(f"    {name}: {before:,}, {after:,}")
        if len(there) > _SHOWN_CLASSES:
            say(f"    and {len(there) - _SHOWN_CLASSES} more classes: {output.beside('record.json')}")
    listed = f" (the first {len(twins):,} are listed)" if twins.cut else ""
    say(
        f"near-duplicates: {len(twins):,} pairs of {twins.images():,} images at {plan.request.duplicates:g} or more, "
        f"among {twins.among}{listed}: {output.beside('duplicates.csv')}"
    )
    for point in found.points:
        learnt = f", accuracy {point.accuracy.mean:.1%}" if point.accuracy else ""
        say(f"    {point.size:,} by {point.strategy}: similarity {point.coverage.mean:.4f}{learnt}")
    shown = f" (the first {MOST_SHOWN})" if plan.size > MOST_SHOWN else ""
    say(f"contact sheet{shown}: {output.beside('sheet.png')}")
    if output.kind == "arrays" and plan.pool.folder is not None:
        say(f"the .npz holds images as {plan.pool.comparison()}; choose another size with --transform")
