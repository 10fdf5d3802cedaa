"""Small audits for the tests of the report: records of the true shape with figures that a test chooses."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from copycost.audit import AuditResult, AuditSpec, CellSpec, build_spec
from copycost.audit._summary import summarise
from copycost.audit._tasks import target_key
from copycost.strategies import parse

MACHINE = {
    "copycost": "0.1.0",
    "python": "3.11.7",
    "packages": {"numpy": "2.4.6", "torch": "2.15.0"},
    "processor": "a processor",
    "cores": 2,
    "system": "Linux x86_64",
}


FOUR = {"images": 4}


def by_default(strategy: str, answers: str, budget: int, seed: int) -> float:
    """Agreement that grows with the budget; drmi lies below random by three to four points."""
    grown = 0.7 + 0.25 * (1 - 60 / (60 + budget)) + 0.005 * seed + 0.01 * (answers == "probabilities")
    return round(grown - (0.03 + 0.002 * seed) * strategy.startswith("drmi"), 4)


def build(
    *,
    strategies: Sequence[str] = ("random", "drmi"),
    answers: Sequence[str] = ("top1",),
    budgets: Sequence[int] = (50, 150, 300, 600),
    seeds: int = 3,
    classes: Sequence[str] = ("cat", "dog", "ship"),
    agreement: Callable[[str, str, int, int], float] = by_default,
    labelled: bool = True,
    pool_labelled: bool = True,
    transfer: dict[str, Any] | None = FOUR,
    fooled: int = 6,
    ceiling: bool = True,
    gives_probabilities: bool = True,
    medium: str | None = None,
    rounds_gain: float | None = None,
    rho: Callable[[str | None, int, int], float | None] | None = None,
    **spec_fields: Any,
) -> AuditResult:
    """Make records and what they say together.

    Parameters
    ----------
    medium : of the data; None leaves it out, as records of older versions do
    rounds_gain : agreement gained by each round of a strategy that asks in rounds; None leaves rounds out, as those do
    rho : robustness by strategy (None for the target), budget and seed; None leaves it out
    """
    values = {
        "target": "lenet5@embedded:train",
        "pool": "embedded:pool",
        "test": "embedded:test",
        "levels": [0.8, 0.9],
        "transfer": transfer or {"images": 0},
    }
    spec = build_spec(
        values | {"strategies": strategies, "answers": answers, "budgets": budgets, "seeds": seeds} | spec_fields
    )
    keys = list(dict.fromkeys(target_key(spec, seed) for seed in range(seeds)))
    targets = tuple(
        _target(spec, seed, classes, labelled, pool_labelled, ceiling, gives_probabilities) for seed in range(len(keys))
    )
    cells = tuple(
        _cell(spec, cell, classes, agreement, labelled, pool_labelled, fooled if transfer else None)
        for cell in spec.cells()
    )
    for target in targets:
        if medium is not None:
            for role in ("pool", "test"):
                target[role] |= {"medium": medium} | ({} if medium == "image" else {"shape": None})
        if rho is not None and spec.trains_target:
            target["result"]["robustness"] = {"rho": rho(None, 0, target["seed"]), "images": 20, "not_fooled": 0}
    for cell, asked in zip(cells, spec.cells(), strict=True):
        if rounds_gain is not None:
            cell["result"] |= _rounds(spec, asked, cell["result"], rounds_gain)
        if rho is not None:
            found = rho(asked.strategy, asked.budget, asked.seed)
            cell["result"]["measures"]["robustness"] = {"rho": found, "images": 20, "not_fooled": 1}
    return summarise(spec, targets, cells)


def _rounds(spec: AuditSpec, cell: CellSpec, result: dict[str, Any], gain: float) -> dict[str, Any]:
    """Return rounds that end in the cell's own measures and lie ``gain`` below each other before."""
    sizes = spec.shares().sizes(parse(cell.strategy), cell.budget)
    final, found = result["measures"], []
    for number, asked in enumerate(np.cumsum(sizes.rounds).tolist()):
        below = gain * (len(sizes.rounds) - 1 - number) * (1 + 0.1 * cell.seed)
        measured = {
            name: None if final[name] is None else round(final[name] - below, 4)
            for name in ("agreement", "accuracy", "test_loss")
        }
        found.append(
            {
                "asked": asked,
                "charged": asked + sizes.validation,
                "dropped_duplicates": 0,
                "facts": {"radius": 0.5 / (1 + number)} if sizes.iterative and number else {},
                "measures": measured,
                "training": {},
            }
        )
    validation = {"pool_index": [0] * sizes.validation, "answers": [0] * sizes.validation}
    return {"rounds": found, "validation": validation if sizes.validation else None}


def _target(
    spec: AuditSpec,
    seed: int,
    classes: Sequence[str],
    labelled: bool,
    pool_labelled: bool,
    ceiling: bool,
    gives_probabilities: bool,
) -> dict[str, Any]:
    counts = {"held-out": {"charged": 30, "sent": 31}, "fingerprint": {"charged": 5, "sent": 5}}
    return {
        "schema": "copycost.target/1",
        "target": "target.safetensors",
        "seed": seed,
        "classes": list(classes),
        "gives_probabilities": gives_probabilities,
        "answers_new": spec.target != "labels",
        "pool": {"name": spec.pool, "count": 1500, "shape": [28, 28, 1], "digest": "00", "labelled": pool_labelled},
        "test": {"name": spec.test, "count": 30, "shape": [28, 28, 1], "digest": "11", "labelled": labelled},
        "pool_overlaps_training": False,
        "result": {"accuracy": 0.94 + 0.01 * seed if labelled else None, "ceiling": 0.95 if ceiling else None},
        "run": {"machine": MACHINE, "seconds": 2.0, "counts": counts},
    }


def _cell(
    spec: AuditSpec,
    cell: CellSpec,
    classes: Sequence[str],
    agreement: Callable[[str, str, int, int], float],
    labelled: bool,
    pool_labelled: bool,
    fooled: int | None,
) -> dict[str, Any]:
    rng = np.random.default_rng([cell.seed, cell.budget, len(cell.strategy)])
    n, found = len(classes), agreement(cell.strategy, cell.answers, cell.budget, cell.seed)
    chosen = rng.permutation(1500)[: cell.budget]
    answered = rng.integers(0, n, cell.budget)
    confusion = rng.integers(0, 9, (n, n)) + 20 * np.eye(n, dtype=np.int64)
    by_class = [float(value) for value in np.round(rng.uniform(0.7, 1, n), 3)]
    result = {
        "queries": {
            "asked": cell.budget,
            "charged": cell.budget,
            "new_inputs": 0,
            "dropped_duplicates": 0,
            "answers_against_pool_label": int(rng.integers(0, 9)) if pool_labelled else None,
            "answers_by_class": np.bincount(answered, minlength=n).tolist(),
            "insider_looks": 0,
        },
        "chosen": {"pool_index": chosen.tolist(), "answers": answered.tolist()},
        "measures": {
            "agreement": found,
            "agreement_by_class": by_class,
            "confusion": confusion.tolist(),
            "accuracy": round(found - 0.02, 4) if labelled else None,
            "macro_f1": round(found - 0.03, 4) if labelled else None,
            "test_loss": round(2 - found, 4) if labelled else None,
            "target_accuracy": 0.94 if labelled else None,
            "ru_agreement": None if spec.target == "labels" else 0.3,
            "transfer": None if fooled is None else _transfer(spec, rng, n, fooled, labelled),
        },
        "measuring_charged": 1008,
    }
    return {
        "schema": "copycost.cell/1",
        "key": cell.key,
        "spec": cell.model_dump(mode="json"),
        "target": target_key(spec, cell.seed),
        "assumptions": {
            "answers": cell.answers,
            "labels_known": "group=label" in cell.strategy,
            "unlabelled_pool_used": False,
            "pretrained_features": False,
            "architecture_known": True,
            "pool_overlaps_training": None,
            "insider_looks": 0,
        },
        "result": result,
        "run": {
            "machine": MACHINE,
            "threads": 1,
            "total_seconds": 1.5,
            "seconds": {"choose": 0.1},
            "sent": {"copy": cell.budget + 1, "measuring": 1009},
        },
    }


def _transfer(spec: AuditSpec, rng: np.random.Generator, n: int, fooled: int, labelled: bool) -> dict[str, Any]:
    def rates(shares: list[float]) -> dict[str, float | None]:
        wanted, left, off = shares
        return {
            "wanted": wanted if spec.transfer.targeted else None,
            "left_clean": left,
            "off_diagonal": off if labelled else None,
        }

    def among(members: int) -> dict[str, float | None]:
        if not members:
            return dict.fromkeys(("wanted", "left_clean", "off_diagonal"))
        return rates(sorted(float(value) for value in np.round(rng.uniform(0.3, 0.9, 3), 3)))

    return {
        "plan": spec.transfer.model_dump(mode="json"),
        "made": 8,
        "fooled": fooled,
        "among_made": among(8),
        "among_fooled": among(fooled),
        "confusion": rng.integers(0, 5, (n, n)).tolist(),
    }
