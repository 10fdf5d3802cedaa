"""What the kinds of answer that were tried changed: what withholding or rounding probabilities costs a copier."""

from __future__ import annotations

from copycost.measures import Interval, paired_interval
from copycost.report._figures import Figures, Series
from copycost.report._tables import Cell, Table, difference_cell
from copycost.report._text import NBSP, count, joined, level, needed_words, spread
from copycost.report._words import Pairs, leaves_out, needed_of, sorted_out

__all__ = ["answer_kinds_table", "raised_cost"]


def _baseline(figures: Figures) -> str:
    return "probabilities" if "probabilities" in figures.spec.answers else figures.spec.answers[0]


def _kind_differences(figures: Figures) -> list[tuple[str, str, list[tuple[str, Interval]]]]:
    """Return, for each strategy and each other kind of answer, its paired differences from the baseline kind."""
    base = _baseline(figures)
    found = []
    for strategy in figures.spec.strategies:
        by_kind = {series.answers: series for series in figures.series if series.strategy == strategy}
        for answers, series in by_kind.items():
            if answers != base:
                pairs = [
                    (count(budget), _paired(figures, series, by_kind[base], budget)) for budget in figures.spec.budgets
                ]
                found.append((strategy, answers, pairs))
    return found


def _paired(figures: Figures, ours: Series, theirs: Series, budget: int) -> Interval:
    first, second = (
        [float(measured["agreement"]) for measured in figures.measures(one, budget)] for one in (ours, theirs)
    )
    return paired_interval(first, second)


def raised_cost(figures: Figures) -> list[str]:
    """Say what the kinds of answer that were tried cost the copier; nothing where only one was tried."""
    base, sentences = _baseline(figures), []
    by_name = {(series.strategy, series.answers): series for series in figures.series}
    for strategy, answers, pairs in _kind_differences(figures):
        there, here = (needed_words(needed_of(figures, by_name[strategy, kind])) for kind in (base, answers))
        at = level(figures.headline_level)
        sentences.append(f"With {strategy}, {at} agreement took {there} on {base} and {here} on {answers}.")
        sentences += _kind_verdicts(strategy, answers, base, pairs)
    return sentences


def _kind_verdicts(strategy: str, answers: str, base: str, pairs: Pairs) -> list[str]:
    lower, higher, undecided = sorted_out(pairs)
    sentences = []
    for those, verb in ((lower, "lowered"), (higher, "raised")):
        if those:
            at, by = joined([budget for budget, _ in those]), spread([one.mean for _, one in those])
            sentences.append(
                f"With {strategy}, {answers} instead of {base} {verb} agreement at {at} queries by {by} points; "
                f"{leaves_out(those)}."
            )
    if undecided:
        where = f"at {joined(undecided)} queries" if lower or higher else "at any budget"
        sentences.append(f"With {strategy}, no difference between {answers} and {base} is supported {where}.")
    return sentences


def answer_kinds_table(figures: Figures) -> Table:
    """Paired differences in agreement between kinds of answer, strategy by strategy."""
    base = _baseline(figures)
    rows = tuple(
        (Cell(f"{strategy}: {answers} less {base}"), Cell(budget), difference_cell(interval))
        for strategy, answers, pairs in _kind_differences(figures)
        for budget, interval in pairs
    )
    caption = (
        f"What giving less changed: paired differences in agreement, in percentage points with their 95{NBSP}% "
        "interval; "
        "bold where a difference is supported"
    )
    return Table(caption, ("strategy and answers", "queries", "agreement"), rows, headers=2)
