"""What commands print: plans, results and comparisons, as text or as JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from copycost.audit import AuditResult, Comparison, Cost, Plan, fewest_needed, headline_level
from copycost.audit._compare import Change
from copycost.measures import Interval

__all__ = ["comparison_document", "print_comparison", "print_plan", "print_result", "result_document"]


def print_plan(plan: Plan, console: Console) -> None:
    """Print what an audit would ask and charge, and how long it would take."""
    minutes = plan.seconds / 60
    length = f"{minutes:.0f} minutes" if minutes >= 2 else f"{plan.seconds:.0f} seconds"
    cells = f"{plan.cells:,} {'cell' if plan.cells == 1 else 'cells'}"
    console.print(f"plan: {cells}, {plan.finished:,} of them finished; about {length} to go")
    console.print(f"      {plan.copying:,} queries charged to copy, {plan.held_out:,} for the held-out inputs,")
    console.print(f"      {plan.measuring:,} to measure transferability and uniform agreement")
    if plan.looks:
        console.print(f"      {plan.looks:,} to look up what the target says of the pool, once for each target")


def print_result(result: AuditResult, out: Path, cost: Cost, console: Console) -> None:
    """Print the queries needed for the headline level, and where the report is."""
    level = headline_level(result)
    for row in result.needed:
        if row.level == level:
            console.print(f"{level:.0%} agreement, {row.strategy}, {row.answers}: {row.needed.words}", markup=False)
            if cost.known:
                console.print(f"    {cost.of(row.needed, result.looks(row.strategy))}", markup=False)
    copies, target = result.one_class()
    if target or copies:
        who = "the target" if target else f"{copies} of {len(result.cells)} copies"
        console.print(f"note: {who} gave every held-out input one class; see the report", markup=False)
    console.print(f"report: {out / 'report.html'}", markup=False)


def result_document(result: AuditResult, out: Path, cost: Cost) -> dict[str, Any]:
    """Return the result of an audit as a JSON document."""
    best = fewest_needed(result)
    return {
        "schema": "copycost.result/1",
        "level": headline_level(result),
        "fewest": None
        if best is None
        else {"strategy": best.strategy, "answers": best.answers, "queries": best.needed.queries},
        "cost": dataclasses.asdict(cost),
        "report": str(out / "report.html"),
        **result.summary(),
    }


def print_comparison(found: Comparison, console: Console) -> None:
    """Print two audits side by side: queries needed, then each measure with its difference; 80 columns are enough."""
    if found.differing:
        console.print(f"the audits differ in: {', '.join(found.differing)}", markup=False)
    console.print("compared seed by seed" if found.paired else "compared as two groups of seeds (Welch)")
    console.print("difference: second less first; ±: half the 95 % interval")
    for strategy, answers in dict.fromkeys((row.strategy, row.answers) for row in found.changes):
        console.print(f"\n{strategy}, {answers}", markup=False)
        needed = [row for row in found.needed if row[:2] == (strategy, answers)]
        for _, _, level, first, second in needed:
            console.print(f"  queries needed for {level:.0%} agreement", markup=False)
            console.print(f"    first:  {first.words}\n    second: {second.words}", markup=False)
        console.print(_changes([row for row in found.changes if (row.strategy, row.answers) == (strategy, answers)]))


def _changes(rows: Sequence[Change]) -> Table:
    table = Table("measure, %", box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True, show_edge=False)
    for name in ("queries", "first", "second", "difference"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for row in rows:
        verdict = ("higher" if row.difference.mean > 0 else "lower") if row.supported else "not supported"
        parts = [_percent(one) for one in (row.first, row.second, row.difference)]
        table.add_row(_MEASURES.get(row.measure, row.measure), str(row.budget), *parts, verdict)
    return table


_MEASURES = {"transfer_wanted": "wanted class", "robustness": "rho"}


def comparison_document(found: Comparison) -> dict[str, Any]:
    """Return a comparison as a JSON document."""
    document: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(found)))
    names = ("strategy", "answers", "level", "first", "second")
    document["needed"] = [dict(zip(names, row, strict=True)) for row in document["needed"]]
    return {"schema": "copycost.comparison/1", **document}


def _percent(interval: Interval) -> str:
    """Return a mean with half the width of its interval, which is Student's or Welch's and so even on both sides."""
    if interval.low is None or interval.high is None:
        return f"{100 * interval.mean:.1f}"
    return f"{100 * interval.mean:.1f} ± {50 * (interval.high - interval.low):.1f}"
