"""The extraction loop: a random start where a strategy needs one, then rounds of choosing, asking and training."""

from __future__ import annotations

import copy
import dataclasses
import functools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from copycost._streams import stream
from copycost.extraction._checkpoints import Checkpoints
from copycost.extraction._contract import Cell, Extraction, Scenario
from copycost.extraction._inside import Inside, check_looks, pool_probabilities
from copycost.extraction._measure import measure_copy, measure_round
from copycost.extraction._shares import Sizes, start_rows, validation_rows
from copycost.networks import AnyClassifier, new_classifier
from copycost.oracle import Answers, Ledger, Oracle
from copycost.strategies import Knowledge, Memo, Queries
from copycost.substitutes import Labelled, fit

__all__ = ["run_cell"]

Report = Callable[[str, float], None]


def run_cell(
    cell: Cell,
    scenario: Scenario,
    ledger: Ledger,
    *,
    memo: Memo | None = None,
    report: Report | None = None,
    checkpoints: Path | None = None,
) -> Extraction:
    """Copy the target once and measure the copy (ActiveThief, Algorithm 1; DRMI is the case of one round).

    Parameters
    ----------
    cell : what to do
    scenario : whom to copy, and on what to measure
    ledger : records every query; a cell that was interrupted pays for nothing twice
    memo : keeps what depends on the pool alone
    report : takes (what runs, share done)
    checkpoints : folder for choices and copies of rounds, so that an interrupted cell goes on inside its round

    Raises
    ------
    InvalidInput
        Before anything is charged, if the pool, the budget and the strategy do not fit together.
    TargetError
        If the target fails.
    """
    cell.answers.check(scenario.target.classes, scenario.target.gives_probabilities)
    check_looks(cell.strategy, scenario.target, scenario.pool)
    sizes = cell.sizes()
    sizes.check(cell.strategy, len(scenario.pool))
    loop = _Loop(cell, scenario, sizes, ledger, memo or Memo(), report or (lambda what, share: None), checkpoints)
    rounds = [loop.run_round(number) for number in range(len(sizes.rounds))]
    substitute = loop.substitute(len(rounds) - 1)
    measuring = Oracle(scenario.target, ledger, account="measuring")
    with loop.clock("measure"):
        rows = substitute.probabilities(scenario.test)
        attacks: list[float] = []
        measured = measure_copy(cell, scenario, substitute, rows, measuring, loop.report, attacks.append)
    result = {
        "queries": loop.facts(),
        "chosen": {"pool_index": loop.index.tolist(), "answers": loop.answers.labels.tolist()},
        "validation": loop.validation_record(),
        "training": rounds[-1]["training"],
        "rounds": rounds,
        "measures": measured,
        "measuring_charged": measuring.counts.charged,
    }
    run = {
        "seconds": {name: round(seconds, 3) for name, seconds in loop.clock.seconds.items()},
        "seconds_an_example": attacks[0] / measured["transfer"]["made"] if attacks else None,
        "sent": {"copy": loop.oracle.counts.sent, "measuring": measuring.counts.sent},
    }
    return Extraction(result, run, substitute)


class _Clock:
    """Sums the seconds of each stage over all rounds."""

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
        self.seconds[self._name] = self.seconds.get(self._name, 0.0) + time.perf_counter() - self._start


class _Loop:
    """The state of one extraction between rounds: what was asked, what came back, and the copy trained on it."""

    def __init__(
        self,
        cell: Cell,
        scenario: Scenario,
        sizes: Sizes,
        ledger: Ledger,
        memo: Memo,
        report: Report,
        checkpoints: Path | None,
    ) -> None:
        self.report, self.clock = report, _Clock()
        self._cell, self._scenario, self._sizes, self._memo = cell, scenario, sizes, memo
        self._checkpoints = Checkpoints(checkpoints)
        self.oracle = Oracle(scenario.target, ledger, account="copy", budget=cell.budget, kind=cell.answers)
        self.index = np.zeros(0, np.int64)
        self.answers = Answers(np.zeros(0, np.int64))
        self._inputs = scenario.pool.take([])
        self._dropped = 0
        self._copies: dict[int, AnyClassifier] = {}
        looked = functools.partial(pool_probabilities, scenario.target, scenario.pool, ledger, report)
        given = scenario.target_probabilities
        self._inside = Inside(scenario.target, scenario.pool, memo, looked if given is None else lambda: given)
        self._validation_index = validation_rows(
            sizes.validation, len(scenario.pool), seed=cell.seed, budget=cell.budget
        )
        self._validation: Labelled | None = None
        self._blank: AnyClassifier | None = None

    def run_round(self, number: int) -> dict[str, Any]:
        """Choose, ask and train once; return what the record keeps of it."""
        with self.clock("choose"):
            queries = self._choose(number)
        with self.clock("ask"):
            self.report("asking", 0.0)
            if self._validation is None and len(self._validation_index):
                asked = self._scenario.pool.take(self._validation_index)
                self._validation = Labelled(asked, self.oracle.ask(asked))
            self._learn(queries, self.oracle.ask(queries.inputs))
        done = self._checkpoints.read("round", number)
        if done is None:
            done = self._train(number)
            self._checkpoints.write("round", number, done)
        return {
            "asked": len(self.index),
            "charged": len(self.index) + len(self._validation_index),
            "dropped_duplicates": queries.dropped,
            "facts": dict(queries.facts),
            **done,
        }

    def substitute(self, number: int) -> AnyClassifier:
        """Return the copy that a round has trained; after an interruption it is read, or trained, again."""
        if number not in self._copies:
            substitute = self._fresh_copy()
            if not self._checkpoints.load_copy(substitute, number):
                self._fit(substitute, number)
                self._checkpoints.save_copy(substitute, number)
            self._copies = {number: substitute}
        return self._copies[number]

    def facts(self) -> dict[str, Any]:
        """Return what the record says of all queries, those that validate included."""
        pool_labels, classes = self._scenario.pool_labels, len(self._scenario.classes)
        validated = self._validation.answers.labels if self._validation is not None else np.zeros(0, np.int64)
        index = np.concatenate([self.index, self._validation_index])
        labels = np.concatenate([self.answers.labels, validated])
        members = index >= 0
        wrong = None if pool_labels is None else int((pool_labels[index[members]] != labels[members]).sum())
        return {
            "asked": len(index),
            "charged": self.oracle.counts.charged,
            "new_inputs": int((~members).sum()),
            "dropped_duplicates": self._dropped,
            "answers_against_pool_label": wrong,
            "answers_by_class": np.bincount(labels, minlength=classes).tolist(),
            "insider_looks": len(self._scenario.pool) * len(self._cell.strategy.looks_inside),
        }

    def validation_record(self) -> dict[str, Any] | None:
        """Return which queries validated and what came back, or None where none did."""
        if self._validation is None:
            return None
        answers = self._validation.answers.labels
        return {"pool_index": self._validation_index.tolist(), "answers": answers.tolist()}

    def _choose(self, number: int) -> Queries:
        """Return the queries of a round: chosen now, or as a checkpoint says they were chosen."""
        kept = self._checkpoints.read_choice(number, self._scenario.pool)
        if kept is not None:
            return kept
        k = self._sizes.rounds[number]
        if self._sizes.iterative and number == 0:
            free = self._knowledge(None).free()
            drawn = start_rows(k, free, seed=self._cell.seed, budget=self._cell.budget)
            queries = Queries.members(self._scenario.pool, drawn)
        else:
            substitute = self.substitute(number - 1) if self._cell.strategy.iterative else None
            names = ("round", number) if self._sizes.iterative else ()
            rng = stream(self._cell.seed, "choice", self._cell.budget, *names)
            queries = self._not_asked_before(self._cell.strategy.select(self._knowledge(substitute), k, rng=rng))
        if self._sizes.iterative:
            self._checkpoints.write_choice(number, queries)
        return queries

    def _knowledge(self, substitute: AnyClassifier | None) -> Knowledge:
        scenario, needs = self._scenario, self._cell.strategy.needs
        candidates = None
        if len(self._validation_index):
            candidates = np.setdiff1d(np.arange(len(scenario.pool)), self._validation_index)
        members = self.index >= 0
        return Knowledge(
            scenario.pool,
            len(scenario.classes),
            asked=self.index[members],
            answers=self.answers.take(np.flatnonzero(members)),
            labels=scenario.pool_labels if "labels" in needs else None,
            substitute=substitute,
            inputs=self._inputs,
            input_answers=self.answers,
            **self._inside.find(needs),
            candidates=candidates,
            compared=scenario.compared,
            numbering=scenario.numbering,
            budget=self._cell.budget,
            memo=self._memo,
            report=self.report,
        )

    def _not_asked_before(self, queries: Queries) -> Queries:
        """Drop new inputs that were asked before, to train or to validate: they would be free."""
        if (queries.pool_index >= 0).all():
            return queries
        asked = {*self._inputs.digests(), *self._scenario.pool.take(self._validation_index).digests()}
        return queries.keep([row for row, digest in enumerate(queries.inputs.digests()) if digest not in asked])

    def _learn(self, queries: Queries, answers: Answers) -> None:
        self.index = np.concatenate([self.index, queries.pool_index])
        self.answers = self.answers.concat(answers) if len(self.answers) else answers
        self._inputs = self._inputs.concat(queries.inputs)
        self._dropped += queries.dropped

    def _train(self, number: int) -> dict[str, Any]:
        with self.clock("train"):
            substitute = self._fresh_copy()
            history = self._fit(substitute, number)
            self._checkpoints.save_copy(substitute, number)
        self._copies = {number: substitute}
        with self.clock("measure"):
            measured = measure_round(substitute.probabilities(self._scenario.test), self._scenario)
        return {"measures": measured, "training": history}

    def _fresh_copy(self) -> AnyClassifier:
        """Return a copy with the initial weights, the same in every round."""
        if self._blank is None:
            self._blank = new_classifier(
                self._cell.substitute,
                self._scenario.pool,
                len(self._scenario.classes),
                rng=stream(self._cell.seed, "initial weights"),
                vectors=self._scenario.vectors,
            )
        fresh = copy.copy(self._blank)
        fresh.network = copy.deepcopy(self._blank.network)
        return fresh

    def _fit(self, substitute: AnyClassifier, number: int) -> dict[str, Any]:
        stage = f"training {number + 1}/{len(self._sizes.rounds)}" if self._sizes.iterative else "training"
        names = ("round", number) if self._sizes.iterative else ()
        history = fit(
            substitute,
            Labelled(self._inputs, self.answers),
            validation=self._validation,
            schedule=self._cell.schedule,
            rng=stream(self._cell.seed, "training", self._cell.budget, *names),
            progress=lambda share: self.report(stage, share),
        )
        return dataclasses.asdict(history)
