"""Two audits side by side, such as before and after a change to a target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from copycost import measures
from copycost.audit._summary import AuditResult
from copycost.errors import InvalidInput
from copycost.measures import Interval, QueriesNeeded

__all__ = ["Change", "Comparison", "compare"]

MEASURES = ("agreement", "accuracy", "transfer_wanted", "robustness")


@dataclass(frozen=True)
class Change:
    """One measure of one strategy at one budget in both audits, and the difference second less first."""

    strategy: str
    answers: str
    budget: int
    measure: str
    first: Interval
    second: Interval
    difference: Interval
    supported: bool


@dataclass(frozen=True)
class Comparison:
    """What two audits have in common, and how it differs.

    Attributes
    ----------
    needed : tuple of (strategy, answers, level, first, second)
    changes : tuple of Change
    paired : bool
        Whether seeds are compared one by one (same pool, test set and number of seeds) or as two groups.
    differing : tuple of str
        Settings in which the specs differ.
    """

    needed: tuple[tuple[str, str, float, QueriesNeeded, QueriesNeeded], ...]
    changes: tuple[Change, ...]
    paired: bool
    differing: tuple[str, ...]


def compare(first: AuditResult, second: AuditResult) -> Comparison:
    """Compare two audits over the strategies, answers, levels and budgets that both have.

    Raises
    ------
    InvalidInput
        If they have no strategy, answers and budget in common.
    """
    one, two = first.spec.model_dump(mode="json"), second.spec.model_dump(mode="json")
    paired = all(one[name] == two[name] for name in ("pool", "test", "seeds")) and first.spec.seeds > 1
    changes = tuple(_changes(first, second, paired))
    if not changes:
        raise InvalidInput(
            "the two audits have no strategy, kind of answer and budget in common, so nothing can be compared; "
            "run one of them with the other's."
        )
    rows = {(row.strategy, row.answers, row.level): row.needed for row in second.needed}
    needed = tuple(
        (row.strategy, row.answers, row.level, row.needed, rows[row.strategy, row.answers, row.level])
        for row in first.needed
        if (row.strategy, row.answers, row.level) in rows
    )
    differing = tuple(sorted(name for name in one if one[name] != two[name]))
    return Comparison(needed, changes, paired, differing)


def _changes(first: AuditResult, second: AuditResult, paired: bool) -> list[Change]:
    found = []
    for measure in MEASURES:
        for curve in (curve for curve in first.curves if curve.measure == measure):
            other = second.curve(measure, curve.strategy, curve.answers)
            if other is None:
                continue
            after: dict[int, Any] = dict(zip(other.budgets, other.intervals, strict=True))
            for budget, before in zip(curve.budgets, curve.intervals, strict=True):
                if budget in after:
                    difference = _difference(after[budget], before, paired)
                    supported = measures.difference_supported(difference)
                    found.append(
                        Change(
                            curve.strategy, curve.answers, budget, measure, before, after[budget], difference, supported
                        )
                    )
    return found


def _difference(after: Interval, before: Interval, paired: bool) -> Interval:
    if paired:
        return measures.paired_interval(after.values, before.values)
    return measures.unpaired_interval(after.values, before.values)
