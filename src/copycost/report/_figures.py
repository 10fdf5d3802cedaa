"""The numbers of an audit as the page asks for them: a value a seed, for a strategy, an answer kind and a budget."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from copycost.audit import AuditResult
from copycost.measures import Interval, student_interval

__all__ = ["Figures", "Series"]

Record = dict[str, Any]


@dataclass(frozen=True)
class Series:
    """One strategy under one kind of answer: ``colour`` counts strategies, ``name`` is what the page calls it."""

    strategy: str
    answers: str
    colour: int
    name: str


class Figures:
    """Looks records up and takes their means over seeds.

    Parameters
    ----------
    result : AuditResult
        A finished audit.
    """

    def __init__(self, result: AuditResult) -> None:
        self.result = result
        self.spec = result.spec
        several = len(self.spec.answers) > 1
        self.series = tuple(
            Series(strategy, answers, colour, f"{strategy}, {answers}" if several else strategy)
            for colour, strategy in enumerate(self.spec.strategies)
            for answers in self.spec.answers
        )
        self.classes: tuple[str, ...] = tuple(str(name) for name in result.targets[0]["classes"])
        self._cells: dict[tuple[str, str, int], list[Record]] = {}
        for cell in sorted(result.cells, key=lambda cell: int(cell["spec"]["seed"])):
            key = (cell["spec"]["strategy"], cell["spec"]["answers"], cell["spec"]["budget"])
            self._cells.setdefault(key, []).append(cell)

    @property
    def largest(self) -> int:
        """The largest budget."""
        return self.spec.budgets[-1]

    @property
    def headline_level(self) -> float:
        """The level of agreement that the headline speaks of."""
        return 0.9 if 0.9 in self.spec.levels else self.spec.levels[-1]

    @property
    def medium(self) -> str:
        """What is asked: "image" or "text"; records of older versions, which knew images alone, do not say."""
        return str(self.result.targets[0]["pool"].get("medium", "image"))

    @property
    def nouns(self) -> str:
        """What is asked, as a word for several: images or texts."""
        return f"{self.medium}s"

    def target_of(self, cell: Record) -> Record:
        """Return the record of the target that a cell copied."""
        return self.result.targets[int(cell["spec"]["seed"]) if self.spec.per_seed else 0]

    def cells(self, series: Series, budget: int) -> list[Record]:
        """Return the cells of a series at a budget, seeds in order."""
        return self._cells[series.strategy, series.answers, budget]

    def measures(self, series: Series, budget: int) -> list[Record]:
        """Return what each of these cells measured."""
        return [cell["result"]["measures"] for cell in self.cells(series, budget)]

    def interval(self, series: Series, budget: int, value: Callable[[Record], float | None]) -> Interval | None:
        """Return the mean over seeds of a value of the measures, or None where a seed lacks it."""
        return interval_of(value(measured) for measured in self.measures(series, budget))

    def transfers(self) -> list[Record]:
        """Return the transfer part of every cell that has one."""
        found = (cell["result"]["measures"]["transfer"] for cell in self.result.cells)
        return [transfer for transfer in found if transfer is not None]

    def target_accuracy(self) -> Interval | None:
        """Return the accuracy of the target on the test set, over the targets of the audit."""
        return interval_of(target["result"]["accuracy"] for target in self.result.targets)


def interval_of(values: Iterable[float | None]) -> Interval | None:
    """Return the mean of values with its interval, or None where one is missing."""
    found = list(values)
    numbers = [value for value in found if value is not None]
    return student_interval(numbers) if numbers and len(numbers) == len(found) else None
