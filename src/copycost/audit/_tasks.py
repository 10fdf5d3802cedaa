"""The two kinds of task that worker processes run: prepare a target, and run a cell."""

from __future__ import annotations

import functools
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np

from copycost import measures
from copycost._types import AnyArray
from copycost._whole import written_whole
from copycost.audit._choices import check_choices, parts_of, seeds_that_share
from copycost.audit._records import CELL_SCHEMA, TARGET_SCHEMA, TRAINING_SCHEMA, Folder, machine, read_json, write_json
from copycost.audit._scenario import (
    Data,
    ceiling_agreement,
    held_out,
    load_data,
    train_network,
    word_vectors,
)
from copycost.audit._spec import AuditSpec, CellSpec, digest_of
from copycost.audit._targets import load_target
from copycost.datasets import Dataset
from copycost.errors import InvalidInput
from copycost.exploration import write_exploration
from copycost.extraction import (
    Cell,
    Scenario,
    Shares,
    check_looks,
    measure_robustness,
    pool_probabilities,
    run_cell,
    top5_accuracy,
)
from copycost.inputs import Images
from copycost.networks import Classifier, save_classifier
from copycost.oracle import AnswerKind, Answers, Ledger, Oracle
from copycost.oracle.targets import NetworkTarget, Target
from copycost.strategies import Memo, parse
from copycost.strategies._list import Listed
from copycost.substitutes import Schedule
from copycost.transfer import TransferPlan

__all__ = ["explore_data", "finished", "looks_up", "prepare_target", "run_one_cell", "target_key"]

Report = Callable[[str, float], None]

_SKIPPED_NAMED = 100


_COPYING = frozenset(
    {"budgets", "strategies", "answers", "seeds", "substitute", "schedule", "transfer", "uniform", "levels"}
    | {"rounds", "seed_share", "validation_share", "explore", "compared"}
)
"""What of a spec is about copies alone."""


def target_key(spec: AuditSpec, seed: int) -> str:
    """Return the name of the prepared target that a seed's cells share; settings with their default do not count."""
    return _key(spec, seed, _COPYING)


def network_key(spec: AuditSpec, seed: int) -> str:
    """Return what two specs have in common if they train the same networks for a seed, whatever is asked of them."""
    return _key(spec, seed, _COPYING | {"pool", "ceiling", "robustness"})


def _key(spec: AuditSpec, seed: int, apart: frozenset[str]) -> str:
    document = spec.model_dump(mode="json", exclude=set(apart), exclude_defaults=True)
    return digest_of(document | {"seed": seed if spec.per_seed else None})


def finished(folder: Path, schema: str) -> bool:
    """Whether a task left a whole record in ``folder``."""
    return (folder / "record.json").exists() and bool(read_json(folder / "record.json", schema))


def looks_up(strategy: str) -> bool:
    """Whether a strategy is given what the target says of the whole pool."""
    return "target_probabilities" in parse(strategy).looks_inside


@functools.lru_cache(maxsize=1)
def _data(spec: AuditSpec, seed: int, data_dir: Path | None) -> Data:
    """Keep the last sets loaded: a worker meets the same ones cell after cell."""
    return load_data(spec, seed, data_dir)


def _data_of(spec: AuditSpec, seed: int, data_dir: Path | None) -> Data:
    return _data(spec, seed if spec.per_seed else 0, data_dir)


def prepare_target(spec: AuditSpec, seed: int, out: Path, data_dir: Path | None, report: Report) -> None:
    """Train or load the target of a seed, check it, and ask about the held-out inputs once for all its cells."""
    folder = Folder(out).target(target_key(spec, seed))
    folder.mkdir(parents=True, exist_ok=True)
    report("loading data", 0.0)
    data = _data_of(spec, seed, data_dir)
    record = read_json(folder / "record.json", TARGET_SCHEMA) if finished(folder, TARGET_SCHEMA) else None
    if record is not None:
        _check_unchanged(record, data)
    if seed not in seeds_that_share(spec):
        check_choices(spec, data, [seed])  # the plan has seen the others
    started = time.perf_counter()
    weights = folder / "target.safetensors"
    if spec.trains_target:
        train_network(spec, data, seed, "target", weights, data_dir, functools.partial(report, "training the target"))
    with Ledger(folder / "ledger.sqlite") as ledger:
        target = load_target(spec, data, weights, record, ledger, data_dir)
        if (fingerprint := target.fingerprint()) is not None:
            ledger.belong_to(fingerprint)
        _check_asked_for(spec, data, target)
        report("asking about the held-out inputs", 0.0)
        answers = held_out(Oracle(target, ledger, account="held-out"), data.test.inputs)
        if _cells_look_up(spec, seed, out):
            _write_array(Folder(out).looks(folder.name), pool_probabilities(target, data.pool.inputs, ledger, report))
        counts = {name: vars(ledger.counts(name)) for name in ("held-out", "fingerprint", "probe", "insider")}
    if record is not None:
        _bring_up(record, folder / "record.json", data, counts)
        return
    found = _own_facts(spec, data, seed, target, weights, report)
    ceiling = None
    if spec.trains_target and spec.ceiling:
        say = functools.partial(report, "training a second target")
        second = train_network(spec, data, seed, "ceiling", folder / "ceiling.safetensors", data_dir, say)
        ceiling = ceiling_agreement(second, data.test.inputs, answers.labels)
    run = {"machine": machine(), "seconds": round(time.perf_counter() - started, 3), "counts": counts}
    write_json(folder / "record.json", _target_record(spec, seed, target, data, answers, ceiling, found) | {"run": run})


def _check_asked_for(spec: AuditSpec, data: Data, target: Target) -> None:
    """Refuse answers and looks that the target does not give, and classes that it does not know."""
    _check_classes(spec, data, target.classes)
    for text in spec.answers:
        AnswerKind.parse(text).check(target.classes, target.gives_probabilities)
    for text in spec.strategies:
        check_looks(parse(text), target, data.pool.inputs)


def _write_array(path: Path, array: AnyArray) -> None:
    with written_whole(path) as part, open(part, "wb") as file:
        np.save(file, array, allow_pickle=False)


def _cells_look_up(spec: AuditSpec, seed: int, out: Path) -> bool:
    """Whether a cell that is to be run on the target of a seed needs what it says of the pool."""
    cells = (cell for cell in spec.cells() if looks_up(cell.strategy) and (cell.seed == seed or not spec.per_seed))
    return any(not finished(Folder(out).cell(cell.key), CELL_SCHEMA) for cell in cells)


def _bring_up(record: dict[str, Any], path: Path, data: Data, counts: dict[str, dict[str, int]]) -> None:
    """Add to the record of a prepared target what was asked since, and what an earlier version did not note."""
    run = record["run"]
    pool = record["pool"] | ({"repeats": data.repeats} if data.repeats else {})
    counts = run["counts"] | {name: found for name, found in counts.items() if found["charged"]}
    grown = record | {"pool": pool, "run": run | {"counts": counts}}
    if grown != record:
        write_json(path, grown)


def _own_facts(spec: AuditSpec, data: Data, seed: int, target: Target, weights: Path, report: Report) -> dict[str, Any]:
    """Return what can be said of a target that was trained here, as its inside is the auditor's own."""
    found: dict[str, Any] = {}
    if not spec.trains_target:
        return found
    if spec.target_folds:
        found["training"] = read_json(weights.with_suffix(".json"), TRAINING_SCHEMA)["epochs"]
        found["fold"] = seed % spec.target_folds
    test = data.test.inputs
    if spec.robustness and isinstance(test, Images) and isinstance(target, NetworkTarget):
        classifier = cast(Classifier, target.classifier)
        found["robustness"] = measure_robustness(classifier, test, spec.robustness, seed, report)
    return found


def _target_record(
    spec: AuditSpec,
    seed: int,
    target: Target,
    data: Data,
    answers: Answers,
    ceiling: float | None,
    found: dict[str, Any],
) -> dict[str, Any]:
    true, labels = data.test.labels, answers.labels
    extra = [str(label) for label in range(len(data.classes), target.classes)]
    return {
        "schema": TARGET_SCHEMA,
        "target": target.name,
        "fingerprint": target.fingerprint(),
        "seed": seed if spec.per_seed else None,
        "classes": [*data.classes, *extra][: target.classes],
        "gives_probabilities": target.gives_probabilities,
        "answers_new": target.answers_new,
        "pool": _facts(data.pool) | {"repeats": data.repeats},
        "test": _facts(data.test),
        "transform": spec.transform.model_dump(mode="json"),
        "skip_bad": spec.skip_bad,
        "pool_overlaps_training": data.pool_overlaps_training,
        "result": {
            "accuracy": None if true is None else measures.accuracy(labels, true),
            "top5_accuracy": top5_accuracy(answers.probabilities, true),
            "ceiling": ceiling,
            "confusion": None if true is None else measures.confusion(true, labels, target.classes).tolist(),
            **found,
            "held_out_charged": len(set(data.test.inputs.digests())),
            "held_out_answers": labels.tolist(),
        },
    }


def _facts(data: Dataset) -> dict[str, Any]:
    return {
        "name": data.name,
        "count": len(data),
        "medium": data.inputs.medium,
        "shape": list(data.inputs.shape) if isinstance(data.inputs, Images) else None,
        "digest": data.inputs.digest(),
        "labelled": data.labels is not None,
        "notes": dict(data.notes),
        "skipped": list(data.skipped[:_SKIPPED_NAMED]),
    }


def _check_unchanged(record: dict[str, Any], data: Data) -> None:
    for role, part in (("pool", data.pool), ("test", data.test)):
        if record[role]["digest"] != part.inputs.digest():
            raise InvalidInput(
                f"the {role} {part.name} has changed since this audit began; use another --out, or put the old "
                f"one back."
            )


def _check_classes(spec: AuditSpec, data: Data, classes: int) -> None:
    for role, part in (("pool", data.pool), ("test set", data.test)):
        if part.labels is not None and len(part.labels) and part.labels.max() >= classes:
            raise InvalidInput(
                f"the {role} {part.name} carries labels up to {part.labels.max()}, but the target has {classes} "
                f"classes; "
                "use a set of the target's own classes."
            )


def run_one_cell(spec: AuditSpec, cell: CellSpec, out: Path, data_dir: Path | None, report: Report) -> None:
    """Run a cell and leave its record, its ledger and its substitute's weights."""
    folder = Folder(out).cell(cell.key)
    folder.mkdir(parents=True, exist_ok=True)
    report("loading data", 0.0)
    scenario, target_record = _scenario(spec, cell.seed, out, data_dir)
    started = time.perf_counter()
    with Ledger(folder / "ledger.sqlite", target=scenario.target.fingerprint()) as ledger:
        if finished(folder, CELL_SCHEMA):
            return
        rounds = folder / "rounds"
        extraction = run_cell(
            _cell(cell), scenario, ledger, memo=Memo(Folder(out).memo), report=report, checkpoints=rounds
        )
        save_classifier(extraction.substitute, folder / "substitute.safetensors")
        record = {
            "schema": CELL_SCHEMA,
            "key": cell.key,
            "spec": cell.model_dump(mode="json"),
            "target": target_record,
            "assumptions": _assumptions(cell, scenario, extraction.result["queries"]["insider_looks"]),
            "result": extraction.result,
            "run": {
                "machine": machine(),
                "threads": 1,
                "total_seconds": round(time.perf_counter() - started, 3),
            }
            | extraction.run,
        }
        write_json(folder / "record.json", record)
        shutil.rmtree(rounds, ignore_errors=True)


def explore_data(spec: AuditSpec, seed: int, out: Path, data_dir: Path | None, report: Report) -> None:
    """Leave what the report shows of the data sets of a seed."""
    report("loading data", 0.0)
    data = _data_of(spec, seed, data_dir)
    report("exploring the data", 0.0)
    parts = {"training": data.training, "pool": data.pool, "test": data.test}
    write_exploration({role: part for role, part in parts.items() if part is not None}, Folder(out).exploration, seed)


def _cell(cell: CellSpec) -> Cell:
    return Cell(
        parse(cell.strategy),
        AnswerKind.parse(cell.answers),
        cell.budget,
        cell.seed,
        cell.substitute,
        Schedule.parse(cell.schedule),
        TransferPlan(**cell.transfer.model_dump()),
        cell.uniform,
        Shares(cell.rounds, cell.seed_share, cell.validation_share),
        cell.robustness,
    )


def _scenario(spec: AuditSpec, seed: int, out: Path, data_dir: Path | None) -> tuple[Scenario, str]:
    data = _data_of(spec, seed, data_dir)
    key = target_key(spec, seed)
    folder = Folder(out).target(key)
    record, looks = read_json(folder / "record.json", TARGET_SCHEMA), Folder(out).looks(key)
    scenario = Scenario(
        target=load_target(spec, data, folder / "target.safetensors", record, None, data_dir),
        pool=data.pool.inputs,
        pool_labels=data.pool.labels,
        test=data.test.inputs,
        test_labels=data.test.labels,
        test_answers=np.array(record["result"]["held_out_answers"], dtype=np.int64),
        classes=tuple(record["classes"]),
        target_architecture=spec.target_arch or (spec.target.partition("@")[0] if spec.trains_target else None),
        pool_overlaps_training=record["pool_overlaps_training"],
        vectors=word_vectors(spec, data_dir),
        compared=data.compared,
        numbering=data.numbering,
        target_probabilities=np.load(looks, mmap_mode="r", allow_pickle=False) if looks.exists() else None,
    )
    return scenario, key


def _assumptions(cell: CellSpec, scenario: Scenario, looks: int) -> dict[str, Any]:
    known, strategy = scenario.target_architecture, parse(cell.strategy)
    listed = any(isinstance(part, Listed) for part in parts_of(strategy))
    return {
        "answers": cell.answers,
        # what those knew who wrote a list is not known here
        "labels_known": True if "labels" in strategy.needs else None if listed else False,
        "unlabelled_pool_used": False,
        "pretrained_features": cell.vectors is not None,
        "architecture_known": None if known is None else known == cell.substitute,
        "pool_overlaps_training": scenario.pool_overlaps_training,
        "insider_looks": looks,
    }
