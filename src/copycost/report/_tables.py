"""Tables of figures: what every chart shows, and what no chart shows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from copycost.audit import AuditResult, Cost
from copycost.measures import Interval, QueriesNeeded, difference_supported
from copycost.report._figures import Figures, Series, interval_of
from copycost.report._text import NBSP, between, count, ends, level, percent, share, signed_points

__all__ = [
    "Cell",
    "Table",
    "agreement_table",
    "contradiction_table",
    "cost_table",
    "difference_table",
    "measures_table",
    "needed_table",
    "seed_table",
    "share_cell",
    "transfer_table",
]

NOTHING = "–"


@dataclass(frozen=True)
class Cell:
    """A figure, beneath it what qualifies it (its interval), and ``tone``, a word for its looks."""

    text: str
    note: str = ""
    tone: str = ""


@dataclass(frozen=True)
class Table:
    """Rows under a head; the first ``headers`` cells of a row name it; ``groups`` are names over several columns."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    headers: int = 1
    groups: tuple[tuple[str, int], ...] = ()

    @property
    def spans(self) -> tuple[int, ...]:
        """How many rows the first cell of each row names; 0 where a cell above already does."""
        names = [row[0].text for row in self.rows]
        if self.headers < 2:
            return (1,) * len(names)
        found = []
        for index, name in enumerate(names):
            first = index == 0 or names[index - 1] != name
            same = next((stop for stop in range(index, len(names)) if names[stop] != name), len(names))
            found.append(same - index if first else 0)
        return tuple(found)


def share_cell(interval: Interval | None) -> Cell:
    """Return a share in per cent with its interval."""
    return Cell(NOTHING, tone="none") if interval is None else Cell(share(interval.mean), ends(interval))


def _plain_cell(interval: Interval | None, digits: int) -> Cell:
    if interval is None:
        return Cell(NOTHING, tone="none")
    return Cell(f"{interval.mean:.{digits}f}", ends(interval, scale=1, digits=digits))


def agreement_table(figures: Figures) -> Table:
    """Return the agreement of each series at each budget."""
    rows = tuple(
        (
            Cell(count(budget)),
            *(share_cell(figures.interval(series, budget, _get("agreement"))) for series in figures.series),
        )
        for budget in figures.spec.budgets
    )
    caption = f"Agreement with the target in per cent, mean over seeds{_note(figures.spec.seeds)}"
    return Table(caption, ("queries", *(series.name for series in figures.series)), rows)


def _note(seeds: int) -> str:
    return f", with its 95{NBSP}% interval" if seeds > 1 else " (one seed, so no interval)"


def needed_table(figures: Figures) -> Table:
    """Return the queries needed by each series for each level of agreement."""
    found = {(needed.strategy, needed.answers, needed.level): needed.needed for needed in figures.result.needed}
    rows = tuple(
        (Cell(series.name), *(_needed_cell(found[series.strategy, series.answers, at]) for at in figures.spec.levels))
        for series in figures.series
    )
    head = ("strategy", *(f"{level(at)} agreement" for at in figures.spec.levels))
    return Table("Queries needed: median over seeds, with its bootstrap interval", head, rows)


def _needed_cell(needed: QueriesNeeded) -> Cell:
    reached = f"reached by {needed.reached} of {needed.seeds}"
    if needed.queries is None:
        return Cell(f"more than {count(needed.largest)}", reached, "none")
    text = f"at most {math.ceil(needed.queries):,}" if needed.state == "at most" else f"about {count(needed.queries)}"
    if needed.low is None:
        return Cell(text, "one seed")
    low = count(needed.low) if needed.low > 0 else f"at most {count(needed.smallest)}"
    high = f"more than {count(needed.largest)}" if needed.high is None else count(needed.high)
    same = needed.low == 0 and needed.high == needed.smallest
    note = low if same else between(low, high) if low[0].isdigit() and high[0].isdigit() else f"{low} to {high}"
    return Cell(text, note if needed.reached == needed.seeds else f"{note}; {reached}")


def cost_table(figures: Figures, cost: Cost) -> Table:
    """Return what the queries needed cost in money and hours; of a level not reached, what the largest budget costs.

    Where a strategy is given what the target says of the pool, these looks cost the same as queries.
    """
    found = {(needed.strategy, needed.answers, needed.level): needed.needed for needed in figures.result.needed}
    rows = tuple(
        (
            Cell(series.name),
            *(
                _cost_cell(found[series.strategy, series.answers, at], cost, figures.result.looks(series.strategy))
                for at in figures.spec.levels
            ),
        )
        for series in figures.series
    )
    head = ("strategy", *(f"{level(at)} agreement" for at in figures.spec.levels))
    title = "What those queries cost a copier, at the price and rate given for this report"
    if any(figures.result.looks(series.strategy) for series in figures.series):
        title += "; with the looks at what the target says of the whole pool, where a strategy is given them"
    return Table(title, head, rows)


def _cost_cell(needed: QueriesNeeded, cost: Cost, looks: int) -> Cell:
    queries = looks + (needed.largest if needed.queries is None else needed.queries)
    parts = [part for part in (cost.money(queries), cost.time(queries)) if part is not None]
    head = "more than " if needed.queries is None else "at most " if needed.state == "at most" else "about "
    return Cell(head + parts[0], *parts[1:])


_RATES = ("wanted", "left_clean", "off_diagonal")


def transfer_table(figures: Figures) -> Table:
    """Return the three transfer rates of each series and budget, among the fooling examples and among all."""
    rows = []
    for series, budget in _each(figures):
        transfers = [measured["transfer"] for measured in figures.measures(series, budget)]
        if any(transfer is None for transfer in transfers):
            continue
        fooled = [share_cell(interval_of(transfer["among_fooled"][rate] for transfer in transfers)) for rate in _RATES]
        made = [_mean_only(interval_of(transfer["among_made"][rate] for transfer in transfers)) for rate in _RATES]
        numbers = " of ".join(f"{sum(transfer[name] for transfer in transfers):,}" for name in ("fooled", "made"))
        rows.append((Cell(series.name), Cell(count(budget)), *fooled, *made, Cell(numbers)))
    head = (
        "strategy",
        "queries",
        *("wanted class", "left its class", "off the diagonal") * 2,
        "fooled the copy",
    )
    groups = (("", 2), ("among those that fooled the copy", 3), ("among all made", 3), ("", 1))
    return Table(
        "Adversarial examples that work on the target, in per cent, mean over seeds", head, tuple(rows), 2, groups
    )


def _mean_only(interval: Interval | None) -> Cell:
    return Cell(NOTHING, tone="none") if interval is None else Cell(share(interval.mean))


def measures_table(figures: Figures) -> Table:
    """Return every measure of each series and budget; columns that could not be had are left out."""
    columns: list[tuple[str, Callable[[Interval | None], Cell], str]] = [
        ("agreement, %", share_cell, "agreement"),
        ("RU-agreement, %", share_cell, "ru_agreement"),
        ("accuracy, %", share_cell, "accuracy"),
        ("macro F1", lambda found: _plain_cell(found, 3), "macro_f1"),
        ("test loss, nats", lambda found: _plain_cell(found, 2), "test_loss"),
    ]
    cells = list(_each(figures))
    had = [column for column in columns if any(figures.interval(*cell, _get(column[2])) for cell in cells)]
    rows = tuple(
        (
            Cell(series.name),
            Cell(count(budget)),
            *(show(figures.interval(series, budget, _get(name))) for _, show, name in had),
        )
        for series, budget in cells
    )
    head = ("strategy", "queries", *(title for title, _, _ in had))
    return Table(f"Every measure of the copies, mean over seeds{_note(figures.spec.seeds)}", head, rows, headers=2)


_DIFFERENCES = {"agreement": "agreement", "accuracy": "accuracy", "transfer_wanted": "wanted class (transfer)"}


def difference_table(result: AuditResult) -> Table:
    """Return paired differences between strategies and random, as the claims of the page use them."""
    found = {(one.strategy, one.against, one.answers, one.budget, one.measure): one for one in result.differences}
    had = [measure for measure in _DIFFERENCES if any(one.measure == measure for one in result.differences)]
    several = len(result.spec.answers) > 1
    rows = []
    for strategy, against, answers, budget in dict.fromkeys(key[:4] for key in found):
        name = f"{strategy} less {against}" + (f", {answers}" if several else "")
        cells = [found.get((strategy, against, answers, budget, measure)) for measure in had]
        shown = [Cell(NOTHING, tone="none") if one is None else difference_cell(one.interval) for one in cells]
        rows.append((Cell(name), Cell(count(budget)), *shown))
    head = ("strategies", "queries", *(_DIFFERENCES[measure] for measure in had))
    return Table(_PAIRED, head, tuple(rows), headers=2)


_PAIRED = (
    f"Paired differences, seed by seed, in percentage points with their 95{NBSP}% interval; "
    "bold where the interval leaves out zero, so that the difference is supported"
)


def difference_cell(interval: Interval) -> Cell:
    """Return a difference of shares with its interval, in percentage points."""
    if interval.low is None or interval.high is None:
        return Cell(signed_points(interval.mean), "one seed")
    tone = "supported" if difference_supported(interval) else "none"
    return Cell(signed_points(interval.mean), between(signed_points(interval.low), signed_points(interval.high)), tone)


def contradiction_table(figures: Figures) -> Table | None:
    """Return how many answers contradict the pool's own labels, or None where the pool has none."""
    facts = [cell["result"]["queries"] for cell in figures.result.cells]
    if any(fact["answers_against_pool_label"] is None for fact in facts):
        return None
    rows = tuple(
        (Cell(count(budget)), *(_contradictions(figures, series, budget) for series in figures.series))
        for budget in figures.spec.budgets
    )
    caption = "Answers that contradict the pool’s own label, mean number over seeds"
    return Table(caption, ("queries", *(series.name for series in figures.series)), rows)


def _contradictions(figures: Figures, series: Series, budget: int) -> Cell:
    facts = [cell["result"]["queries"] for cell in figures.cells(series, budget)]
    wrong = sum(fact["answers_against_pool_label"] for fact in facts)
    asked = sum(fact["asked"] - fact["new_inputs"] for fact in facts)
    return Cell(f"{wrong / len(facts):.1f}", percent(wrong / asked) if asked else "")


def seed_table(figures: Figures) -> Table:
    """Return the agreement of every cell."""
    rows = tuple(
        (
            Cell(series.name),
            Cell(count(budget)),
            *(Cell(share(measured["agreement"], 2)) for measured in figures.measures(series, budget)),
        )
        for series, budget in _each(figures)
    )
    head = ("strategy", "queries", *(f"seed {seed}" for seed in range(figures.spec.seeds)))
    return Table("Agreement of every seed, in per cent", head, rows, headers=2)


def _each(figures: Figures) -> Iterable[tuple[Series, int]]:
    return ((series, budget) for series in figures.series for budget in figures.spec.budgets)


def _get(name: str) -> Callable[[dict[str, Any]], float | None]:
    def value(measured: dict[str, Any]) -> float | None:
        found: float | None = measured[name]
        return found

    return value
