"""What is measured on a copy."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from copycost import measures
from copycost._streams import stream
from copycost._types import Float32Array, IntArray
from copycost.adversarial import deepfool
from copycost.inputs import Images, Inputs
from copycost.networks import AnyClassifier, Classifier
from copycost.oracle import Oracle
from copycost.strategies import Knowledge, parse
from copycost.transfer import measure_transfer

if TYPE_CHECKING:
    from copycost.extraction._contract import Cell, Scenario

__all__ = ["measure_copy", "measure_robustness", "measure_round", "top5_accuracy"]

Report = Callable[[str, float], None]

_TOP = 5


def measure_round(rows: Float32Array, scenario: Scenario) -> dict[str, float | None]:
    """Return what the curve of an extraction shows of one round, given the copy's probabilities (m, classes)."""
    labels = rows.argmax(axis=1).astype(np.int64)
    true = scenario.test_labels
    return {
        "agreement": measures.agreement(scenario.test_answers, labels),
        "accuracy": None if true is None else measures.accuracy(labels, true),
        "test_loss": None if true is None else measures.cross_entropy(rows, true),
    }


def measure_copy(
    cell: Cell,
    scenario: Scenario,
    substitute: AnyClassifier,
    rows: Float32Array,
    oracle: Oracle,
    report: Report,
    spent: Callable[[float], None],
) -> dict[str, Any]:
    """Return all measures of a finished copy, given its probabilities of the held-out inputs (m, classes).

    ``spent`` takes the seconds that making adversarial examples took.
    """
    report("measuring", 0.0)
    classes = len(scenario.classes)
    labels = rows.argmax(axis=1).astype(np.int64)
    true, clean = scenario.test_labels, scenario.test_answers
    by_class = measures.per_class_agreement(clean, labels, classes)
    measured: dict[str, Any] = {
        "agreement": measures.agreement(clean, labels),
        "agreement_by_class": [None if np.isnan(value) else float(value) for value in by_class],
        "confusion": measures.confusion(clean, labels, classes).tolist(),
        "accuracy": None if true is None else measures.accuracy(labels, true),
        "top5_accuracy": top5_accuracy(rows, true),
        "macro_f1": None if true is None else measures.macro_f1(labels, true, classes),
        "test_loss": None if true is None else measures.cross_entropy(rows, true),
        "target_accuracy": None if true is None else measures.accuracy(clean, true),
        "ru_agreement": None,
        "transfer": None,
    }
    images = scenario.test.medium == "image"
    if cell.robustness and images:
        measured["robustness"] = measure_robustness(
            cast(Classifier, substitute), cast(Images, scenario.test), cell.robustness, cell.seed, report
        )
    if scenario.target.answers_new:
        measured["ru_agreement"] = _uniform_agreement(cell, scenario, substitute, oracle)
        if cell.transfer.images and images:
            measured["transfer"] = measure_transfer(
                cell.transfer,
                cast(Classifier, substitute),
                oracle,
                cast(Images, scenario.test),
                clean,
                true,
                classes,
                seed=cell.seed,
                report=report,
                spent=spent,
            )
    return measured


def top5_accuracy(rows: Float32Array | None, true: IntArray | None) -> float | None:
    """Return the share of inputs whose true label is among the five most probable, where there are more than five."""
    if rows is None or true is None or rows.shape[1] <= _TOP:
        return None
    return measures.top_k_accuracy(rows, true, _TOP)


def measure_robustness(classifier: Classifier, test: Images, count: int, seed: int, report: Report) -> dict[str, Any]:
    """Return rho, the mean of DeepFool's L2 distance over the norm of the image (Schmidl, equation 2.4.3).

    Parameters
    ----------
    classifier : the copy, or a target whose inside is known
    test : images to start from; black ones, whose norm is 0, are left out
    count : how many are drawn
    seed : fixes which
    report : takes (what runs, share done)

    Returns
    -------
    dict
        ``rho`` (None where no image was fooled), ``images`` examined, and ``not_fooled``, left out of the mean.
    """
    lit = np.flatnonzero(test.array.reshape(len(test), -1).any(axis=1))
    rows = np.sort(stream(seed, "robustness").permutation(lit)[:count])
    if not len(rows):
        return {"rho": None, "images": 0, "not_fooled": 0}
    floats = classifier.tensor(test.take(rows).array)
    found = deepfool(classifier, floats, progress=lambda share: report("robustness", share))
    fooled = found.fooled.cpu().numpy()
    ratios = (found.distances / floats.flatten(1).norm(dim=1)).cpu().numpy()[fooled]
    rho = float(ratios.mean(dtype=np.float64)) if len(ratios) else math.inf
    return {
        "rho": rho if math.isfinite(rho) else None,
        "images": len(rows),
        "not_fooled": int((~fooled).sum()),
    }


def _uniform_agreement(cell: Cell, scenario: Scenario, substitute: AnyClassifier, oracle: Oracle) -> float | None:
    """Agreement on uniform random inputs (RU-agreement; Tramer et al., R_unif turned around)."""
    if not cell.uniform:
        return None
    noise = _uniform_inputs(cell, scenario)
    return measures.agreement(oracle.ask(noise).labels, substitute.labels(noise))


def _uniform_inputs(cell: Cell, scenario: Scenario) -> Inputs:
    rng = stream(cell.seed, "uniform inputs")
    if scenario.test.medium == "image":
        shape = cast(Images, scenario.test).shape
        return Images(rng.integers(0, 256, (cell.uniform, *shape), dtype=np.uint8))
    knowledge = Knowledge(scenario.pool, len(scenario.classes))
    return parse("noise").select(knowledge, cell.uniform, rng=rng).inputs
