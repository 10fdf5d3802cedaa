"""From records to what a report says: curves, queries needed, paired differences."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from copycost import measures
from copycost._streams import stream
from copycost.audit._records import AUDIT_SCHEMA, CELL_SCHEMA, TARGET_SCHEMA, Folder, read_json
from copycost.audit._spec import AuditSpec, build_spec
from copycost.audit._tasks import finished, looks_up, target_key
from copycost.errors import InvalidInput
from copycost.measures import Interval, QueriesNeeded

__all__ = ["AuditResult", "Curve", "Difference", "Needed", "read_audit"]

MEASURES = (
    "agreement",
    "accuracy",
    "macro_f1",
    "test_loss",
    "ru_agreement",
    "transfer_wanted",
    "transfer_left_clean",
    "transfer_off_diagonal",
    "robustness",
)


@dataclass(frozen=True)
class Curve:
    """One measure of one strategy under one kind of answer: an interval over seeds for each budget."""

    strategy: str
    answers: str
    measure: str
    budgets: tuple[int, ...]
    intervals: tuple[Interval, ...]


@dataclass(frozen=True)
class Needed:
    """Queries needed by one strategy under one kind of answer for one level of agreement."""

    strategy: str
    answers: str
    level: float
    needed: QueriesNeeded


@dataclass(frozen=True)
class Difference:
    """A paired difference over seeds: a strategy less random, at the same knowledge and answers."""

    strategy: str
    against: str
    answers: str
    budget: int
    measure: str
    interval: Interval
    supported: bool


@dataclass(frozen=True)
class AuditResult:
    """Everything a finished audit found, read back from its folder."""

    spec: AuditSpec
    targets: tuple[dict[str, Any], ...]
    cells: tuple[dict[str, Any], ...]
    curves: tuple[Curve, ...]
    needed: tuple[Needed, ...]
    differences: tuple[Difference, ...]
    ceiling: Interval | None

    def looks(self, strategy: str) -> int:
        """Return how many inputs the target sees beside the queries, as a strategy looks up what it says of them."""
        return int(self.targets[0]["pool"]["count"]) if looks_up(strategy) else 0

    def curve(self, measure: str, strategy: str, answers: str) -> Curve | None:
        """Return one curve, or None where the measure could not be had."""
        wanted = (measure, strategy, answers)
        return next((curve for curve in self.curves if (curve.measure, curve.strategy, curve.answers) == wanted), None)

    def one_class(self) -> tuple[int, bool]:
        """Return how many copies gave every held-out input one class, and whether a target did."""
        copies = sum(_columns_used(cell["result"]["measures"]["confusion"]) == 1 for cell in self.cells)
        answers = [target["result"].get("held_out_answers") or [0, 1] for target in self.targets]
        return copies, any(len(set(given)) == 1 for given in answers)

    def summary(self) -> dict[str, Any]:
        """Return curves, queries needed and differences as a JSON document."""
        parts = ("curves", "needed", "differences")
        document: dict[str, Any] = {name: [dataclasses.asdict(part) for part in getattr(self, name)] for name in parts}
        document["ceiling"] = None if self.ceiling is None else dataclasses.asdict(self.ceiling)
        return document


def read_audit(path: Path) -> AuditResult:
    """Read a finished audit.

    Raises
    ------
    InvalidInput
        If the folder holds no audit, or one that is not finished.
    """
    folder = Folder(path)
    if not folder.spec_file.exists():
        raise InvalidInput(
            f"{path} holds no audit (there is no {folder.spec_file.name}); name the --out folder of one."
        )
    spec = build_spec(read_json(folder.spec_file, AUDIT_SCHEMA)["spec"])
    cells = spec.cells()
    missing = [cell for cell in cells if not finished(folder.cell(cell.key), CELL_SCHEMA)]
    if missing:
        raise InvalidInput(
            f"the audit in {path} is not finished: {len(missing)} of {len(cells)} cells are missing. Run it "
            f"again to go on."
        )
    records = tuple(read_json(folder.cell(cell.key) / "record.json", CELL_SCHEMA) for cell in cells)
    keys = list(dict.fromkeys(target_key(spec, seed) for seed in range(spec.seeds)))
    targets = tuple(read_json(folder.target(key) / "record.json", TARGET_SCHEMA) for key in keys)
    return summarise(spec, targets, records)


def summarise(spec: AuditSpec, targets: tuple[dict[str, Any], ...], cells: tuple[dict[str, Any], ...]) -> AuditResult:
    """Work out what records say together."""
    values = _Values(cells)
    curves = tuple(
        Curve(strategy, answers, measure, spec.budgets, tuple(intervals))
        for measure in MEASURES
        for strategy in spec.strategies
        for answers in spec.answers
        if (intervals := values.intervals(measure, strategy, answers, spec.budgets))
    )
    ceilings = [target["result"]["ceiling"] for target in targets if target["result"]["ceiling"] is not None]
    return AuditResult(
        spec,
        targets,
        cells,
        curves,
        tuple(_needed(spec, values)),
        tuple(_differences(spec, values)),
        measures.student_interval(ceilings) if ceilings else None,
    )


def _columns_used(matrix: Sequence[Sequence[int]]) -> int:
    return sum(any(column) for column in zip(*matrix, strict=True))


class _Values:
    """Measures of cells by (strategy, answers, budget), seeds in order."""

    def __init__(self, cells: Sequence[dict[str, Any]]) -> None:
        self._cells: dict[tuple[str, str, int], list[dict[str, Any]]] = {}
        for cell in sorted(cells, key=lambda cell: int(cell["spec"]["seed"])):
            spec = cell["spec"]
            self._cells.setdefault((spec["strategy"], spec["answers"], spec["budget"]), []).append(
                cell["result"]["measures"]
            )

    def of(self, measure: str, strategy: str, answers: str, budget: int) -> list[float] | None:
        """Return a value a seed, or None if any seed lacks it."""
        found = [_value(measured, measure) for measured in self._cells[strategy, answers, budget]]
        values = [value for value in found if value is not None]
        return values if len(values) == len(found) else None

    def intervals(self, measure: str, strategy: str, answers: str, budgets: Sequence[int]) -> list[Interval]:
        rows = [self.of(measure, strategy, answers, budget) for budget in budgets]
        return [measures.student_interval(row) for row in rows if row] if all(rows) else []


def _value(measured: dict[str, Any], measure: str) -> float | None:
    if measure == "robustness":
        found: float | None = (measured.get(measure) or {}).get("rho")
        return found
    if not measure.startswith("transfer_"):
        value: float | None = measured[measure]
        return value
    transfer = measured["transfer"]
    return None if transfer is None else transfer["among_fooled"][measure.removeprefix("transfer_")]


def _needed(spec: AuditSpec, values: _Values) -> list[Needed]:
    found = []
    for strategy in spec.strategies:
        for answers in spec.answers:
            rows = [values.of("agreement", strategy, answers, budget) or [] for budget in spec.budgets]
            by_seed = [list(row) for row in zip(*rows, strict=True)]
            for level in spec.levels:
                rng = stream(0, "queries needed", strategy, answers, level)
                found.append(
                    Needed(
                        strategy,
                        answers,
                        level,
                        measures.queries_needed(spec.budgets, by_seed, level, rng=rng),
                    )
                )
    return found


def _differences(spec: AuditSpec, values: _Values) -> list[Difference]:
    found = []
    for strategy in spec.strategies:
        against = "random group=label" if "group=label" in strategy else "random"
        if strategy == against or against not in spec.strategies or spec.seeds < 2:
            continue
        for answers in spec.answers:
            for budget in spec.budgets:
                for measure in ("agreement", "accuracy", "transfer_wanted"):
                    ours, theirs = (values.of(measure, name, answers, budget) for name in (strategy, against))
                    if ours and theirs:
                        interval = measures.paired_interval(ours, theirs)
                        supported = measures.difference_supported(interval)
                        found.append(Difference(strategy, against, answers, budget, measure, interval, supported))
    return found
