"""An audit's tables as CSV, its substitutes as safetensors, its chosen indices: for work in other tools."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from copycost.audit._records import Folder
from copycost.audit._summary import AuditResult
from copycost.errors import InvalidInput

__all__ = ["export"]


def export(result: AuditResult, folder: Path, to: Path) -> list[Path]:
    """Write every table as CSV, every chosen index, and every substitute, into a new folder; return the files.

    A ``pool_index`` counts the inputs of the pool as it is loaded, those that repeat an earlier one included, as
    `copycost reduce` and the strategy ``list:FILE`` count them; records leave the repeats out first.

    Parameters
    ----------
    result, folder : a finished audit and the folder it was read from
    to : folder to make

    Raises
    ------
    InvalidInput
        If ``to`` exists and is not empty, or cannot be written; or if inputs of the pool were left out as repeats and
        the records, of an earlier version, do not say which.
    """
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise InvalidInput(f"{to} is there already and not an empty folder; name a new one.")
    loaded = [_as_loaded(target, folder) for target in result.targets]
    try:
        (to / "substitutes").mkdir(parents=True, exist_ok=True)
        files = [
            _write(to / "curves.csv", _CURVES, _curves(result)),
            _write(to / "queries_needed.csv", _NEEDED, _needed(result)),
            _write(to / "differences.csv", _DIFFERENCES, _differences(result)),
            _write(to / "cells.csv", _CELLS, _cells(result)),
            _write(to / "agreement_by_class.csv", _BY_CLASS, _by_class(result)),
            _write(to / "chosen.csv", _CHOSEN, _chosen(result, loaded)),
            _write(to / "rounds.csv", _ROUNDS, _rounds(result)),
        ]
        for cell in result.cells:
            source = Folder(folder).cell(cell["key"]) / "substitute.safetensors"
            files.append(Path(shutil.copy(source, to / "substitutes" / f"{cell['key']}.safetensors")))
    except OSError as error:
        raise InvalidInput(f"{to} cannot be written ({error.strerror}); make room or choose another folder.") from None
    return files


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path


_CURVES = ("measure", "strategy", "answers", "budget", "mean", "low", "high", "seeds")
_NEEDED = ("strategy", "answers", "level", "state", "queries", "low", "high", "seeds_reached", "seeds")
_DIFFERENCES = ("strategy", "against", "answers", "budget", "measure", "difference", "low", "high", "supported")
_CELLS = ("key", "seed", "strategy", "answers", "budget", "charged", "agreement", "accuracy", "macro_f1", "test_loss",
          "ru_agreement", "robustness", "substitute")  # fmt: skip
_BY_CLASS = ("key", "class", "agreement")
_CHOSEN = ("key", "position", "pool_index", "answered_label", "use")
_ROUNDS = ("strategy", "answers", "budget", "seed", "round", "asked", "charged", "agreement", "accuracy", "test_loss")


def _curves(result: AuditResult) -> Iterable[Sequence[object]]:
    for curve in result.curves:
        for budget, interval in zip(curve.budgets, curve.intervals, strict=True):
            yield (
                curve.measure,
                curve.strategy,
                curve.answers,
                budget,
                interval.mean,
                interval.low,
                interval.high,
                interval.n,
            )


def _needed(result: AuditResult) -> Iterable[Sequence[object]]:
    for row in result.needed:
        found = row.needed
        yield (
            *(row.strategy, row.answers, row.level, found.state, found.queries),
            *(found.low, found.high, found.reached, found.seeds),
        )


def _differences(result: AuditResult) -> Iterable[Sequence[object]]:
    for row in result.differences:
        interval = row.interval
        yield (
            *(row.strategy, row.against, row.answers, row.budget, row.measure),
            *(interval.mean, interval.low, interval.high, row.supported),
        )


def _cells(result: AuditResult) -> Iterable[Sequence[object]]:
    for cell in result.cells:
        spec, measured = cell["spec"], cell["result"]["measures"]
        yield (
            *(cell["key"], spec["seed"], spec["strategy"], spec["answers"], spec["budget"]),
            cell["result"]["queries"]["charged"],
            *(measured[name] for name in ("agreement", "accuracy", "macro_f1", "test_loss", "ru_agreement")),
            (measured.get("robustness") or {"rho": None})["rho"],
            f"substitutes/{cell['key']}.safetensors",
        )


def _by_class(result: AuditResult) -> Iterable[Sequence[object]]:
    for cell in result.cells:
        names = result.targets[0]["classes"]
        for name, value in zip(names, cell["result"]["measures"]["agreement_by_class"], strict=True):
            yield cell["key"], name, value


def _as_loaded(target: dict[str, Any], folder: Path) -> list[int]:
    """Return the row of each member of the pool in the pool as it was loaded."""
    pool = target["pool"]
    repeats = pool.get("repeats", [])
    if "repeats" not in pool and any(note.startswith("repeated ") for note in pool.get("notes", {})):
        raise InvalidInput(
            f"the records of {folder} are of an earlier version, which left out inputs of the pool that repeat others "
            "without saying which; run the same audit on the folder again, which asks nothing but a few stored "
            "questions, then export it."
        )
    rows: list[int] = np.setdiff1d(np.arange(pool["count"] + len(repeats)), repeats).tolist()
    return rows


def _chosen(result: AuditResult, loaded: Sequence[list[int]]) -> Iterable[Sequence[object]]:
    for cell in result.cells:
        rows = loaded[cell["spec"]["seed"] if result.spec.per_seed else 0]
        for use, chosen in (("train", cell["result"]["chosen"]), ("validate", cell["result"].get("validation"))):
            if chosen is not None:
                for position, (index, label) in enumerate(zip(chosen["pool_index"], chosen["answers"], strict=True)):
                    yield cell["key"], position, rows[index] if index >= 0 else index, label, use


def _rounds(result: AuditResult) -> Iterable[Sequence[object]]:
    """Yield a row for each training; records of older versions, which know no rounds, give none."""
    for cell in result.cells:
        spec = cell["spec"]
        for number, found in enumerate(cell["result"].get("rounds") or []):
            measured = found["measures"]
            yield (
                *(spec["strategy"], spec["answers"], spec["budget"], spec["seed"], number),
                *(found["asked"], found["charged"], measured["agreement"], measured["accuracy"], measured["test_loss"]),
            )
