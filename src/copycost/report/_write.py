"""Writes the page of an audit into its folder."""

from __future__ import annotations

from pathlib import Path

from copycost._whole import written_whole
from copycost.audit import AuditResult, Cost
from copycost.exploration import read_exploration
from copycost.report._page import render
from copycost.report._sources import chosen_inputs, sample_inputs

__all__ = ["write_page"]


def write_page(
    result: AuditResult,
    folder: Path,
    *,
    data_dir: Path | None = None,
    pictures: bool = True,
    cost: Cost | None = None,
) -> Path:
    """Write the page of an audit into its folder as ``report.html``, whole or not at all, and return its path.

    Parameters
    ----------
    result, folder : a finished audit and the folder it was read from
    data_dir : where named data sets lie, to show what was chosen
    pictures : whether images or texts of the data may be shown
    cost : money and hours of a query
    """
    page = render(
        result,
        pictures=pictures,
        images=lambda cell: chosen_inputs(result, cell, data_dir),
        exploration=read_exploration(folder / "exploration.json"),
        samples=lambda role, found: sample_inputs(result, role, found, data_dir),
        cost=cost,
    )
    path = folder / "report.html"
    with written_whole(path) as part:
        part.write_text(page, encoding="utf-8")
    return path
