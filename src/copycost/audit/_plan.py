"""The plan of an audit: what it would ask and charge, and how long it would take, before anything is asked."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from copycost.audit._choices import check_choices, seeds_that_share
from copycost.audit._executor import Task
from copycost.audit._records import CELL_SCHEMA, TARGET_SCHEMA, Folder
from copycost.audit._scenario import Data
from copycost.audit._spec import AuditSpec, CellSpec
from copycost.audit._tasks import finished, looks_up, target_key
from copycost.networks import free_memory, new_classifier
from copycost.oracle import Answers
from copycost.strategies import Knowledge, parse
from copycost.substitutes import Labelled, Schedule, fit

__all__ = ["Plan", "make_plan"]

_START = 4.0  # seconds for the workers to start
_EXPLORING = 40.0  # seconds, mostly for t-SNE of three sets
_TRIAL_UPDATES = 12
_TRIAL_LONG = 10.0  # seconds
_TRIAL_INPUTS = 512


@dataclass(frozen=True)
class Plan:
    """What an audit would do.

    Attributes
    ----------
    cells, finished : int
        Cells in all, and those whose records are there already.
    copying : int
        Queries charged to copy, over all cells.
    held_out : int
        Queries charged to ask about the held-out inputs, once for each target.
    measuring : int
        Queries to measure copies with: adversarial examples and uniform inputs.
    looks : int
        Queries charged to look up what the target says of the whole pool, once for each target, where a strategy needs
        it.
    seconds : float
        Estimate for what is left to do, measured on this machine.
    tasks : tuple of Task
        In order, those that are left and the preparations they need.
    """

    cells: int
    finished: int
    copying: int
    held_out: int
    measuring: int
    looks: int
    seconds: float
    tasks: tuple[Task, ...]


@dataclass(frozen=True)
class _Speed:
    """Seconds for one update of the substitute and of the target, and for one attack step on one image."""

    substitute: float
    target: float
    attack: float


def make_plan(spec: AuditSpec, folder: Folder, data: Data, workers: int) -> Plan:
    """Count what the audit would ask and estimate its time from a short trial of training on this machine.

    Raises
    ------
    InvalidInput
        If a strategy is certain to fail on this pool.
    """
    check_choices(spec, data, seeds_that_share(spec))
    speed = _measure_speed(spec, data)
    seeds = range(spec.seeds) if spec.per_seed else range(1)
    tasks = [
        Task(f"target of seed {seed}", spec, seed, seconds=_target_seconds(spec, data, speed, folder, seed))
        for seed in seeds
    ]
    if spec.explore and not folder.exploration.exists():
        tasks.append(Task("exploration", spec, 0, explore=True, seconds=_EXPLORING))
    cells = spec.cells()
    left = [cell for cell in cells if not finished(folder.cell(cell.key), CELL_SCHEMA)]
    # cells that differ in answers alone share one choice: far apart, no process waits while another makes it
    left.sort(key=lambda cell: (cell.seed, -cell.budget, spec.answers.index(cell.answers)))
    choosing = _choosing_seconds(spec, data)
    for cell in left:
        shared = (cell.strategy, cell.budget, cell.seed if spec.per_seed or parse(cell.strategy).iterative else 0)
        seconds = _cell_seconds(spec, data, speed, cell) + choosing.pop(shared, 0.0)
        tasks.append(Task(_name(cell), spec, cell.seed, cell, tasks[cell.seed if spec.per_seed else 0].name, seconds))
    measured = spec.uniform + _examples(spec, data)
    new = spec.target != "labels"
    return Plan(
        cells=len(cells),
        finished=len(cells) - len(left),
        copying=sum(cell.budget for cell in cells),
        held_out=len(seeds) * len(data.test.inputs),
        measuring=len(cells) * measured if new else 0,
        looks=len(seeds) * len(data.pool.inputs) if any(looks_up(text) for text in spec.strategies) else 0,
        seconds=_START + sum(task.seconds for task in tasks) / min(workers, max(1, len(tasks))),
        tasks=tuple(tasks),
    )


def _choosing_seconds(spec: AuditSpec, data: Data) -> dict[tuple[str, int, int], float]:
    """Return the seconds of all choices of a cell by strategy, budget and seed.

    Seeds share a choice that depends on the pool alone, where they share the pool; then it counts once.
    """
    pool = data.pool
    found: dict[tuple[str, int, int], float] = {}
    for text in spec.strategies:
        strategy = parse(text)
        seeds = range(spec.seeds if spec.per_seed or strategy.iterative else 1)
        for budget in spec.budgets:
            knowledge = Knowledge(pool.inputs, max(2, len(data.classes)), labels=pool.labels, budget=budget)
            rounds = spec.shares().sizes(strategy, budget).rounds
            chosen = rounds[1:] if strategy.iterative else rounds
            seconds = sum(strategy.seconds(knowledge, count) for count in chosen)
            found |= {(text, budget, seed): seconds for seed in seeds}
    return found


def _name(cell: CellSpec) -> str:
    return f"seed {cell.seed}, {cell.strategy}, {cell.answers}, {cell.budget} queries"


def _examples(spec: AuditSpec, data: Data) -> int:
    """Return how many adversarial examples a cell makes; there are none of texts."""
    if data.test.inputs.medium != "image":
        return 0
    classes = len(data.classes) or spec.classes or 10
    images = min(spec.transfer.images, len(data.test.inputs))
    return images * (classes - 1) if spec.transfer.targeted else images


def _measure_speed(spec: AuditSpec, data: Data) -> _Speed:
    schedule = Schedule.parse(spec.schedule)
    substitute = _update_seconds(spec.substitute, data, schedule.batch)
    attack = _update_seconds(spec.substitute, data, 64) / 64 if _examples(spec, data) else 0.0
    if not spec.trains_target:
        return _Speed(substitute, 0.0, attack)
    batch = Schedule.parse(spec.target_schedule).batch
    return _Speed(substitute, _update_seconds(spec.target.partition("@")[0], data, batch), attack)


def _update_seconds(architecture: str, data: Data, batch: int) -> float:
    import torch

    classes = max(2, len(data.classes))
    rng = np.random.default_rng(0)
    inputs = data.pool.inputs.take(range(min(_TRIAL_INPUTS, len(data.pool.inputs))))
    classifier = new_classifier(architecture, inputs, classes, rng=rng)
    labelled = Labelled(inputs, Answers(rng.integers(0, classes, len(inputs))))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for updates in (3, _TRIAL_UPDATES):
            schedule = Schedule("steps", updates, batch=batch)
            start = time.perf_counter()
            fit(classifier, labelled, schedule=schedule, rng=rng)
            elapsed = time.perf_counter() - start
            if elapsed > _TRIAL_LONG:  # a large network on large images: the warm-up tells enough
                break
    finally:
        torch.set_num_threads(threads)
        del classifier
        free_memory()  # the workers are on the same device
    return elapsed / updates


def _target_seconds(spec: AuditSpec, data: Data, speed: _Speed, folder: Folder, seed: int) -> float:
    if finished(folder.target(target_key(spec, seed)), TARGET_SCHEMA) or data.training is None:
        return 0.5
    updates = Schedule.parse(spec.target_schedule).updates(len(data.training.inputs))
    return 1.0 + (2 if spec.ceiling else 1) * updates * speed.target


def _cell_seconds(spec: AuditSpec, data: Data, speed: _Speed, cell: CellSpec) -> float:
    schedule = Schedule.parse(spec.schedule)
    asked = np.cumsum(spec.shares().sizes(parse(cell.strategy), cell.budget).rounds).tolist()
    updates = sum(_likely_updates(schedule, count) for count in asked)
    examples = _examples(spec, data) if spec.target != "labels" else 0
    return 0.5 + updates * speed.substitute + examples * spec.transfer.steps * speed.attack


def _likely_updates(schedule: Schedule, examples: int) -> int:
    """Return the updates of one training; early stopping mostly ends well before its limit."""
    updates = schedule.updates(examples)
    if schedule.kind != "early-stopping":
        return updates
    return min(updates, 2 * schedule.patience * -(-examples // schedule.batch))
