"""Robustness of copies and target: rho, by the smallest change that moves a label (Schmidl 2021, 2.4.3)."""

from __future__ import annotations

from typing import Any

from copycost.measures import Interval, difference_supported, paired_interval
from copycost.report._figures import Figures, Series, interval_of
from copycost.report._tables import NOTHING, Cell, Table
from copycost.report._text import MINUS, NBSP, between, count

__all__ = ["robustness_table", "robustness_words"]

Record = dict[str, Any]
_DIGITS = 3


def robustness_table(figures: Figures) -> Table | None:
    """Return rho of the target where it is known, and of each series at each budget; None where none was measured."""
    if not _measured(figures):
        return None
    targets = [target["result"].get("robustness") for target in figures.result.targets]
    beside = any(targets)
    rows = [_row(figures, series, budget, beside) for series in figures.series for budget in figures.spec.budgets]
    if beside:
        own = (Cell("the target itself"), Cell(""), _rho_cell(interval_of(map(_rho, targets))), Cell(""))
        rows.insert(0, (*own, *_counts(targets)))
    head = ("copies by", "queries", "rho", *(["less the target’s"] if beside else []), "images", "not fooled")
    note = f" with its 95{NBSP}% interval" if figures.spec.seeds > 1 else " (one seed, so no interval)"
    caption = f"Robustness: rho, mean over seeds{note}; images summed over seeds" + (
        "; bold where the paired difference is supported" if beside and figures.spec.seeds > 1 else ""
    )
    return Table(caption, head, tuple(rows), headers=2)


def _measured(figures: Figures) -> bool:
    return any(cell["result"]["measures"].get("robustness") for cell in figures.result.cells)


def _rho(found: Record | None) -> float | None:
    return None if found is None else found["rho"]


def _rho_cell(interval: Interval | None) -> Cell:
    if interval is None:
        return Cell(NOTHING, tone="none")
    ends = ""
    if interval.low is not None and interval.high is not None:
        ends = between(_number(interval.low), _number(interval.high))
    return Cell(_number(interval.mean), ends)


def _number(value: float) -> str:
    return f"{round(value, _DIGITS) or 0.0:.{_DIGITS}f}".replace("-", MINUS)


def _counts(found: list[Record | None]) -> tuple[Cell, Cell]:
    known = [one for one in found if one is not None]
    return Cell(count(sum(one["images"] for one in known))), Cell(count(sum(one["not_fooled"] for one in known)))


def _row(figures: Figures, series: Series, budget: int, beside: bool) -> tuple[Cell, ...]:
    found = [cell["result"]["measures"].get("robustness") for cell in figures.cells(series, budget)]
    difference = (_difference_cell(_against_target(figures, series, budget)),) if beside else ()
    rho = _rho_cell(interval_of(map(_rho, found)))
    return Cell(series.name), Cell(count(budget)), rho, *difference, *_counts(found)


def _difference_cell(found: Interval | None) -> Cell:
    shown = _rho_cell(found)
    tone = "supported" if found is not None and difference_supported(found) else "none"
    return Cell(shown.text, shown.note, tone)


def _against_target(figures: Figures, series: Series, budget: int) -> Interval | None:
    """Return rho of the copies less that of the target each one copied, or None where either is not known."""
    copies, targets = [], []
    for cell in figures.cells(series, budget):
        ours = _rho(cell["result"]["measures"].get("robustness"))
        theirs = _rho(figures.target_of(cell)["result"].get("robustness"))
        if ours is None or theirs is None:
            return None
        copies.append(ours)
        targets.append(theirs)
    return paired_interval(copies, targets)


def robustness_words(figures: Figures) -> list[str]:
    """Say what rho means, that it is a proxy, and where copies and target differ in it."""
    if not _measured(figures):
        return []
    meaning = (
        "rho is the mean, over held-out images, of the smallest L2 change that DeepFool finds to move the label, "
        "divided by the image’s own L2 norm (Schmidl 2021, equation 2.4.3): the larger, the farther images lie from a "
        "decision boundary. Images that were not fooled are left out of the mean. DeepFool need not find the smallest "
        "change there is, and a copy’s rho is a proxy for the target’s, not a measurement of it."
    )
    return [meaning, *_verdicts(figures)]


def _verdicts(figures: Figures) -> list[str]:
    sentences = []
    for series in figures.series:
        found = _against_target(figures, series, figures.largest)
        if found is None or found.low is None or found.high is None:
            continue
        where = f"Copies by {series.name} at {count(figures.largest)} queries"
        ends = between(_number(found.low), _number(found.high))
        if difference_supported(found):
            side, verb = ("above", "overstates") if found.mean > 0 else ("below", "understates")
            sentences.append(
                f"{where} have a rho {_number(abs(found.mean))} {side} the target’s, seed by seed (paired 95{NBSP}% "
                f"interval of the difference {ends}): taken for the target’s it {verb} its robustness."
            )
        else:
            sentences.append(
                f"{where}: no difference of rho from the target’s is supported (paired 95{NBSP}% interval {ends})."
            )
    return sentences
