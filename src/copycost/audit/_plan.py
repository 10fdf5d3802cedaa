"""The plan of an audit: what it would ask and charge, and how long it would take, before anything is asked."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from copycost.audit._executor import Task
from copycost.audit._records import CELL_SCHEMA, TARGET_SCHEMA, Folder
from copycost.audit._scenario import Data
from copycost.audit._spec import AuditSpec, CellSpec
from copycost.audit._tasks import finished, target_key
from copycost.errors import InvalidInput
from copycost.inputs import Images
from copycost.networks import Classifier, build
from copycost.oracle import Answers
from copycost.strategies import Knowledge, parse
from copycost.substitutes import Labelled, Schedule, fit

__all__ = ["Plan", "make_plan"]

_START = 4.0  # seconds for the workers to start
_TRIAL_UPDATES = 12
_TRIAL_IMAGES = 512


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
        Queries charged to ask about the held-out images, once for each target.
    measuring : int
        Queries to measure copies with: adversarial examples and uniform inputs.
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
    seconds: float
    tasks: tuple[Task, ...]


@dataclass(frozen=True)
class _Speed:
    """Seconds for one update of the substitute and of the target, and for one attack step on one image."""

    substitute: float
    target: float
    attack: float


def make_plan(spec: AuditSpec, folder: Folder, data: Data, workers: int) -> Plan:
    """Count what the audit would ask and estimate its time from a short trial of training on this machine."""
    speed = _measure_speed(spec, data)
    seeds = range(spec.seeds) if spec.per_seed else range(1)
    tasks = [
        Task(f"target of seed {seed}", spec, seed, seconds=_target_seconds(spec, data, speed, folder, seed))
        for seed in seeds
    ]
    cells = spec.cells()
    left = [cell for cell in cells if not finished(folder.cell(cell.key), CELL_SCHEMA)]
    each = _cell_seconds(spec, data, speed)
    choosing = _choosing_seconds(spec, data)
    for cell in left:
        shared = (cell.strategy, cell.budget, cell.seed if spec.per_seed else 0)
        tasks.append(Task(_name(cell), spec, cell.seed, cell, tasks[shared[2]].name, each + choosing.pop(shared, 0.0)))
    measured = spec.uniform + _examples(spec, len(data.test.inputs), len(data.classes) or spec.classes or 10)
    new = spec.target != "labels"
    return Plan(
        cells=len(cells),
        finished=len(cells) - len(left),
        copying=sum(cell.budget for cell in cells),
        held_out=len(seeds) * len(data.test.inputs),
        measuring=len(cells) * measured if new else 0,
        seconds=_START + sum(task.seconds for task in tasks) / min(workers, max(1, len(tasks))),
        tasks=tuple(tasks),
    )


def _choosing_seconds(spec: AuditSpec, data: Data) -> dict[tuple[str, int, int], float]:
    """Return the seconds of each choice by strategy, budget and seed; seeds share it where pool and target do."""
    pool = data.pool
    knowledge = Knowledge(pool.inputs, max(2, len(data.classes)), labels=pool.labels)
    seeds = range(spec.seeds if spec.per_seed else 1)
    found: dict[tuple[str, int, int], float] = {}
    for text in spec.strategies:
        strategy = parse(text)
        if "labels" in strategy.needs and pool.labels is None:
            raise InvalidInput(
                f"strategy '{text}' needs the pool's labels, and {pool.name} has none; leave grouping out."
            )
        for budget in spec.budgets:
            seconds = strategy.seconds(knowledge, budget)
            found |= {(text, budget, seed): seconds for seed in seeds}
    return found


def _name(cell: CellSpec) -> str:
    return f"seed {cell.seed}, {cell.strategy}, {cell.answers}, {cell.budget} queries"


def _examples(spec: AuditSpec, test: int, classes: int) -> int:
    images = min(spec.transfer.images, test)
    return images * (classes - 1) if spec.transfer.targeted else images


def _measure_speed(spec: AuditSpec, data: Data) -> _Speed:
    schedule = Schedule.parse(spec.schedule)
    substitute = _update_seconds(spec.substitute, data, schedule.batch)
    attack = _update_seconds(spec.substitute, data, 64) / 64
    if not spec.trains_target:
        return _Speed(substitute, 0.0, attack)
    batch = Schedule.parse(spec.target_schedule).batch
    return _Speed(substitute, _update_seconds(spec.target.partition("@")[0], data, batch), attack)


def _update_seconds(architecture: str, data: Data, batch: int) -> float:
    import torch

    classes = max(2, len(data.classes))
    rng = np.random.default_rng(0)
    images = Images(data.pool.inputs.array[:_TRIAL_IMAGES])
    classifier = Classifier(build(architecture, images.shape, classes, rng=rng))
    labelled = Labelled(images, Answers(rng.integers(0, classes, len(images))))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for updates in (3, _TRIAL_UPDATES):
            schedule = Schedule("steps", updates, batch=batch)
            start = time.perf_counter()
            fit(classifier, labelled, schedule=schedule, rng=rng)
            elapsed = time.perf_counter() - start
    finally:
        torch.set_num_threads(threads)
    return elapsed / _TRIAL_UPDATES


def _target_seconds(spec: AuditSpec, data: Data, speed: _Speed, folder: Folder, seed: int) -> float:
    if finished(folder.target(target_key(spec, seed)), TARGET_SCHEMA) or data.training is None:
        return 0.5
    updates = Schedule.parse(spec.target_schedule).updates(len(data.training.inputs))
    return 1.0 + 2 * updates * speed.target


def _cell_seconds(spec: AuditSpec, data: Data, speed: _Speed) -> float:
    updates = Schedule.parse(spec.schedule).updates(max(spec.budgets))
    examples = _examples(spec, len(data.test.inputs), len(data.classes) or 10) if spec.target != "labels" else 0
    return 0.5 + updates * speed.substitute + examples * spec.transfer.steps * speed.attack
