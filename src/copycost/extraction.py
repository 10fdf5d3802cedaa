"""One cell: choose, ask, train, measure. A pure function of its spec and what it copies."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np

from copycost import measures
from copycost._streams import stream
from copycost._types import IntArray
from copycost.inputs import Images
from copycost.networks import Classifier, build
from copycost.oracle import AnswerKind, Ledger, Oracle
from copycost.oracle.targets import Target
from copycost.strategies import Knowledge, Memo, Queries, Strategy
from copycost.substitutes import History, Labelled, Schedule, fit
from copycost.transfer import TransferPlan, measure_transfer

__all__ = ["Cell", "Extraction", "Scenario", "run_cell"]

Report = Callable[[str, float], None]


@dataclass(frozen=True)
class Scenario:
    """What a cell copies and what it is measured on.

    Attributes
    ----------
    target : Target
    pool : Images
        What may be asked, with ``pool_labels`` (n,) or None.
    test : Images
        Held-out images, with ``test_labels`` (m,) or None.
    test_answers : int64 array (m,)
        The target's labels of the test images, asked on an account of their own.
    classes : tuple of str
        Names of the classes.
    target_architecture : str or None
        Where it is known.
    pool_overlaps_training : bool or None
        Whether the pool holds images the target was trained on; None where nobody knows.
    """

    target: Target
    pool: Images
    pool_labels: IntArray | None
    test: Images
    test_labels: IntArray | None
    test_answers: IntArray
    classes: tuple[str, ...]
    target_architecture: str | None = None
    pool_overlaps_training: bool | None = None


@dataclass(frozen=True)
class Cell:
    """One extraction: strategy x answers x budget x seed, with how the substitute is trained and measured."""

    strategy: Strategy
    answers: AnswerKind
    budget: int
    seed: int
    substitute: str
    schedule: Schedule
    transfer: TransferPlan = field(default_factory=TransferPlan)
    uniform: int = 1000


@dataclass(frozen=True)
class Extraction:
    """What a cell leaves: numbers equal to the bit on the same machine, and apart from them how the run went."""

    result: dict[str, Any]
    run: dict[str, Any]
    substitute: Classifier


def run_cell(
    cell: Cell, scenario: Scenario, ledger: Ledger, *, memo: Memo | None = None, report: Report | None = None
) -> Extraction:
    """Copy the target once and measure the copy.

    Parameters
    ----------
    cell : what to do
    scenario : whom to copy, and on what to measure
    ledger : records every query; a cell that was interrupted pays for nothing twice
    memo : keeps what depends on the pool alone
    report : takes (what runs, share done)

    Raises
    ------
    InvalidInput
        Before anything is charged, if the pool, the budget and the strategy do not fit together.
    TargetError
        If the target fails.
    """
    report = report or (lambda what, share: None)
    clock = _Clock()
    cell.answers.check(scenario.target.classes, scenario.target.gives_probabilities)
    with clock("choose"):
        knowledge = _knowledge(cell, scenario, memo or Memo(), report)
        queries = cell.strategy.select(knowledge, cell.budget, rng=stream(cell.seed, "choice", cell.budget))
    copying = Oracle(scenario.target, ledger, account="copy", budget=cell.budget, kind=cell.answers)
    with clock("ask"):
        report("asking", 0.0)
        answers = copying.ask(queries.inputs)
    with clock("train"):
        labelled = Labelled(cast(Images, queries.inputs), answers)
        substitute, history = _train(cell, scenario, labelled, report)
    measuring = Oracle(scenario.target, ledger, account="measuring")
    with clock("measure"):
        measured = _measure(cell, scenario, substitute, measuring, report)
    result = {
        "queries": _query_facts(queries, answers.labels, scenario, copying),
        "chosen": {"pool_index": queries.pool_index.tolist(), "answers": answers.labels.tolist()},
        "training": dataclasses.asdict(history),
        "measures": measured,
        "measuring_charged": measuring.counts.charged,
    }
    run = {
        "seconds": clock.seconds,
        "sent": {"copy": copying.counts.sent, "measuring": measuring.counts.sent},
    }
    return Extraction(result, run, substitute)


class _Clock:
    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._name = ""
        self._start = 0.0

    def __call__(self, name: str) -> _Clock:
        self._name = name
        return self

    def __enter__(self) -> None:
        self._start = time.perf_counter()

    def __exit__(self, *error: object) -> None:
        self.seconds[self._name] = round(time.perf_counter() - self._start, 3)


def _knowledge(cell: Cell, scenario: Scenario, memo: Memo, report: Report) -> Knowledge:
    labels = scenario.pool_labels if "labels" in cell.strategy.needs else None
    return Knowledge(scenario.pool, len(scenario.classes), labels=labels, memo=memo, report=report)


def _train(cell: Cell, scenario: Scenario, labelled: Labelled, report: Report) -> tuple[Classifier, History]:
    network = build(
        cell.substitute, scenario.pool.shape, len(scenario.classes), rng=stream(cell.seed, "initial weights")
    )
    substitute = Classifier(network)
    rng = stream(cell.seed, "training", cell.budget)
    history = fit(
        substitute,
        labelled,
        schedule=cell.schedule,
        rng=rng,
        progress=lambda share: report("training", share),
    )
    return substitute, history


def _query_facts(queries: Queries, labels: IntArray, scenario: Scenario, oracle: Oracle) -> dict[str, Any]:
    members = queries.pool_index >= 0
    wrong = None
    if scenario.pool_labels is not None:
        wrong = int((scenario.pool_labels[queries.pool_index[members]] != labels[members]).sum())
    return {
        "asked": len(queries),
        "charged": oracle.counts.charged,
        "new_inputs": int((~members).sum()),
        "dropped_duplicates": queries.dropped,
        "answers_against_pool_label": wrong,
        "answers_by_class": np.bincount(labels, minlength=len(scenario.classes)).tolist(),
        "insider_looks": 0,
    }


def _measure(cell: Cell, scenario: Scenario, substitute: Classifier, oracle: Oracle, report: Report) -> dict[str, Any]:
    report("measuring", 0.0)
    classes = len(scenario.classes)
    rows = substitute.probabilities(scenario.test)
    labels = rows.argmax(axis=1).astype(np.int64)
    true, clean = scenario.test_labels, scenario.test_answers
    by_class = measures.per_class_agreement(clean, labels, classes)
    measured: dict[str, Any] = {
        "agreement": measures.agreement(clean, labels),
        "agreement_by_class": [None if np.isnan(value) else float(value) for value in by_class],
        "confusion": measures.confusion(clean, labels, classes).tolist(),
        "accuracy": None if true is None else measures.accuracy(labels, true),
        "macro_f1": None if true is None else measures.macro_f1(labels, true, classes),
        "test_loss": None if true is None else measures.cross_entropy(rows, true),
        "target_accuracy": None if true is None else measures.accuracy(clean, true),
        "ru_agreement": None,
        "transfer": None,
    }
    if scenario.target.answers_new:
        measured["ru_agreement"] = _uniform_agreement(cell, scenario, substitute, oracle)
        if cell.transfer.images:
            measured["transfer"] = measure_transfer(
                cell.transfer,
                substitute,
                oracle,
                scenario.test,
                clean,
                true,
                classes,
                seed=cell.seed,
                report=report,
            )
    return measured


def _uniform_agreement(cell: Cell, scenario: Scenario, substitute: Classifier, oracle: Oracle) -> float | None:
    """Agreement on uniform random inputs (RU-agreement; Tramer et al., R_unif turned around)."""
    if not cell.uniform:
        return None
    rng = stream(cell.seed, "uniform inputs")
    noise = Images(rng.integers(0, 256, (cell.uniform, *scenario.test.shape), dtype=np.uint8))
    return measures.agreement(oracle.ask(noise).labels, substitute.labels(noise))
