"""What one seed copies: the target (trained here or loaded), the pool and the held-out test set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from copycost import measures
from copycost._streams import stream
from copycost._types import IntArray
from copycost.audit._spec import AuditSpec
from copycost.datasets import Dataset, find_overlap, load, stratified_split
from copycost.errors import InvalidInput
from copycost.inputs import Images
from copycost.networks import Classifier, build, load_weights, save_weights
from copycost.oracle import Answers, Ledger, Oracle
from copycost.oracle.targets import FunctionTarget, LabelTarget, NetworkTarget, Target
from copycost.substitutes import Labelled, Schedule, fit

__all__ = ["Data", "load_data", "load_target", "train_network"]

_EMBEDDED_PARTS = {"train": 2500, "pool": 1500, "test": 1000}
_PROBE = 5


@dataclass(frozen=True)
class Data:
    """The sets that one seed uses; ``training`` is None where the target is not trained here."""

    pool: Dataset
    test: Dataset
    training: Dataset | None

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""
        return self.test.classes or self.pool.classes

    @property
    def pool_overlaps_training(self) -> bool | None:
        """Whether pool and training data share images; None where the training data is not known."""
        return None if self.training is None else find_overlap(self.pool.inputs, self.training.inputs) > 0


def load_data(spec: AuditSpec, seed: int, data_dir: Path | None) -> Data:
    """Load pool, test and, where the target is trained here, training data.

    Raises
    ------
    InvalidInput
        If pool and test overlap or differ in shape, a set is empty, or a budget exceeds the pool.
    """
    training = spec.target.partition("@")[2] if spec.trains_target else None
    data = Data(
        _part(spec.pool, seed, data_dir),
        _part(spec.test, seed, data_dir),
        None if training is None else _part(training, seed, data_dir),
    )
    _check(spec, data)
    return data


def _part(text: str, seed: int, data_dir: Path | None) -> Dataset:
    name, colon, part = text.partition(":")
    if name != "embedded" or not colon:
        return load(text, data_dir=data_dir)
    if part not in _EMBEDDED_PARTS:
        raise InvalidInput(
            f"the embedded set has no part {part!r}; {', '.join(_EMBEDDED_PARTS)} are the parts, drawn by seed."
        )
    whole = load("embedded", data_dir=data_dir)
    assert whole.labels is not None
    parts = stratified_split(whole.labels, list(_EMBEDDED_PARTS.values()), stream(seed, "embedded split"))
    rows = parts[list(_EMBEDDED_PARTS).index(part)]
    return Dataset(text, whole.inputs.take(rows), whole.labels[rows], whole.classes)


def _check(spec: AuditSpec, data: Data) -> None:
    pool, test = data.pool.inputs, data.test.inputs
    for name, part in (("pool", pool), ("test set", test)):
        if not len(part):
            raise InvalidInput(f"the {name} is empty; name one that holds images.")
    if pool.shape != test.shape:
        raise InvalidInput(
            f"the pool has images of shape {pool.shape} (height, width, channels), the test set {test.shape}; "
            f"make them agree."
        )
    if max(spec.budgets) > len(pool):
        raise InvalidInput(
            f"a budget of {max(spec.budgets)} queries exceeds the pool of {len(pool)} images; lower it or widen "
            f"the pool."
        )
    shared = find_overlap(pool, test)
    if shared:
        raise InvalidInput(
            f"pool and test share {shared} images; take them out of one, as a copy must be measured on what it "
            f"never saw."
        )


def load_target(
    spec: AuditSpec, data: Data, weights: Path, record: dict[str, Any] | None, ledger: Ledger | None
) -> Target:
    """Return the target.

    Parameters
    ----------
    spec, data : what is audited
    weights : where a target trained here was saved
    record : the record of its preparation, once there is one
    ledger : of its preparation; needed without a record, as a function is asked a few inputs to see what it returns
    """
    classes = spec.classes or (len(data.classes) or None)
    if spec.target == "labels":
        return _label_target(data)
    if spec.trains_target:
        architecture = spec.target.partition("@")[0]
        return NetworkTarget.load(weights, architecture, data.pool.inputs.shape, classes or 2)
    if spec.target.endswith(".safetensors"):
        return _weights_target(spec, data, classes)
    if record is not None:
        known = record["gives_probabilities"]
        return FunctionTarget.load(spec.target, None, classes=len(record["classes"]), gives_probabilities=known)
    assert ledger is not None
    return _probed_function(spec, data, ledger)


def _weights_target(spec: AuditSpec, data: Data, classes: int | None) -> NetworkTarget:
    assert spec.target_arch is not None
    if classes is None:
        raise InvalidInput("neither pool nor test names its classes; give their number with --classes.")
    return NetworkTarget.load(
        Path(spec.target),
        spec.target_arch,
        data.pool.inputs.shape,
        classes,
        mean=spec.target_mean,
        deviation=spec.target_deviation,
    )


def _probed_function(spec: AuditSpec, data: Data, ledger: Ledger) -> FunctionTarget:
    """Ask a function a few held-out images to see what it returns, and keep that in the ledger like any other query."""
    probe = data.test.inputs.take(range(min(_PROBE, len(data.test.inputs))))
    digests = list(dict.fromkeys(probe.digests()))
    ledger.charge("probe", digests, {})
    target = FunctionTarget.load(spec.target, probe, classes=spec.classes, fallback=len(data.classes) or None)
    if target.probed is not None and len(digests) == len(probe):
        ledger.complete("probe", digests, target.probed)
    return target


def _label_target(data: Data) -> LabelTarget:
    if data.pool.labels is None or data.test.labels is None:
        raise InvalidInput(
            "the target is 'labels', which answers with known labels; pool and test must both carry them."
        )
    inputs = data.pool.inputs.concat(data.test.inputs)
    return LabelTarget(inputs, np.concatenate([data.pool.labels, data.test.labels]), len(data.classes))


def train_network(
    spec: AuditSpec, data: Data, seed: int, role: str, weights: Path, progress: Callable[[float], None]
) -> Classifier:
    """Train a target (or, for the ceiling line, a second one) and save its weights; reuse them if there."""
    training = data.training
    if training is None or training.labels is None:
        raise InvalidInput(f"the target {spec.target} is trained here, so its data needs labels.")
    architecture = spec.target.partition("@")[0]
    network = build(
        architecture, training.inputs.shape, len(training.classes), rng=stream(seed, role, "initial weights")
    )
    classifier = Classifier(network)
    if weights.exists():
        load_weights(network, weights)
        network.eval()
        return classifier
    fit(
        classifier,
        Labelled(training.inputs, Answers(training.labels)),
        schedule=Schedule.parse(spec.target_schedule),
        rng=stream(seed, role, "training"),
        progress=progress,
    )
    save_weights(network, weights)
    return classifier


def held_out(oracle: Oracle, test: Images) -> IntArray:
    """Ask the target about every held-out image, on the oracle's own account; return its labels (m,).

    A few are asked twice first: a target that does not answer the same way twice cannot be audited.
    """
    if not oracle.verify(test):
        first = test.take(range(min(_PROBE, len(test))))
        oracle.ask(first)
        oracle.verify(first)
    return oracle.ask(test).labels


def ceiling_agreement(second: Classifier, test: Images, answers: IntArray) -> float:
    """Return the agreement between the target and an independently trained second one."""
    return measures.agreement(answers, second.labels(test))
