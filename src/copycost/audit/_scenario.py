"""What one seed copies: the target (trained here or loaded), the pool and the held-out test set."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from copycost import measures
from copycost._streams import stream
from copycost._types import IntArray
from copycost.audit._folds import check_folds, folds
from copycost.audit._records import TRAINING_SCHEMA, write_json
from copycost.audit._spec import AuditSpec, TransformSpec
from copycost.datasets import Dataset, align_classes, find_overlap, images_of, load, stratified_split
from copycost.errors import InvalidInput
from copycost.inputs import Images, Inputs
from copycost.networks import (
    AnyClassifier,
    Vectors,
    check_architecture,
    load_classifier,
    load_vectors,
    new_classifier,
    save_classifier,
)
from copycost.oracle import Answers, Oracle
from copycost.strategies import parse
from copycost.substitutes import Schedule, fit

__all__ = ["Data", "load_data", "train_network", "word_vectors"]

_EMBEDDED_PARTS = {"train": 2500, "pool": 1500, "test": 1000}
_PROBE = 5
_UNLABELLED = "unlabelled:"


@dataclass(frozen=True)
class Data:
    """The sets that one seed uses.

    ``training`` is None where the target is not trained here; ``compared`` holds the pool before the transform, where
    strategies are to compare its images so. Where some of the pool were left out, as they repeat an earlier input,
    ``numbering`` holds the pool index of every input as it was loaded, a repeat's that of the input it repeats.
    """

    pool: Dataset
    test: Dataset
    training: Dataset | None
    compared: Images | None = None
    numbering: IntArray | None = None

    @property
    def repeats(self) -> list[int]:
        """Which inputs of the pool as it was loaded were left out, as they repeat an earlier one, ascending."""
        if self.numbering is None:
            return []
        first = np.unique(self.numbering, return_index=True)[1]
        return [int(row) for row in np.setdiff1d(np.arange(len(self.numbering)), first)]

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes: those that a target trained here knows, else those of the labels there are."""
        trained = self.training.classes if self.training is not None else ()
        return trained or self.test.classes or self.pool.classes

    @property
    def pool_overlaps_training(self) -> bool | None:
        """Whether pool and training data share images; None where the training data is not known."""
        return None if self.training is None else find_overlap(self.pool.inputs, self.training.inputs) > 0


def load_data(spec: AuditSpec, seed: int, data_dir: Path | None, *, download: bool = True) -> Data:
    """Load pool, test and, where the target is trained here, training data, all transformed and numbered alike.

    Raises
    ------
    InvalidInput
        If pool and test overlap or differ in medium or shape, a set is empty, a class folder is not among those of the
        test set, a strategy or an architecture does not take their medium, or a budget exceeds the pool.
    MissingData
        If a public set is not there, and could not be fetched or ``download`` is off.
    """
    text = spec.target.partition("@")[2] if spec.trains_target else None
    whole = _part(spec, spec.pool, seed, data_dir, download)
    rows, numbering = _first_of_each(whole)
    pool = _each_once(whole, rows)
    compared = None
    if spec.compared == "original":
        plain = spec.model_copy(update={"transform": TransformSpec()})
        compared = images_of(_part(plain, spec.pool, seed, data_dir, download)).take(rows)
    test = _part(spec, spec.test, seed, data_dir, download)
    training = None if text is None else _part(spec, text, seed, data_dir, download)
    numbered = numbering if len(rows) < len(numbering) else None
    data = replace(_aligned(Data(pool, test, training)), compared=compared, numbering=numbered)
    _check(spec, data)
    return data


def _first_of_each(pool: Dataset) -> tuple[IntArray, IntArray]:
    """Return the rows of a pool that repeat no earlier one, ascending, and for each row its place among them."""
    first: dict[bytes, int] = {}
    places = [first.setdefault(digest, len(first)) for digest in pool.inputs.digests()]
    numbering = np.array(places, dtype=np.int64)
    return np.unique(numbering, return_index=True)[1].astype(np.int64), numbering


def _each_once(pool: Dataset, rows: IntArray) -> Dataset:
    """Leave out pool members that repeat an earlier one: as they would be free, a budget would mean less."""
    left_out = len(pool.inputs) - len(rows)
    if not left_out:
        return pool
    kept = pool.take(rows, pool.name)
    return replace(kept, notes={**kept.notes, f"repeated {pool.inputs.medium}s, left out": left_out})


def _aligned(data: Data) -> Data:
    """Use one numbering of classes: the test set's, or the training data's where the test set has no labels."""
    test, training = data.test, data.training
    if test.labels is not None:
        if training is not None:
            training = align_classes(training, test, role="training data", reference_role="test set")
        pool = align_classes(data.pool, test, role="pool", reference_role="test set")
        return replace(data, pool=pool, training=training)
    if training is not None:
        return replace(data, pool=align_classes(data.pool, training, role="pool", reference_role="training data"))
    return data


def _part(spec: AuditSpec, text: str, seed: int, data_dir: Path | None, download: bool) -> Dataset:
    transform = spec.transform.transform()
    plain = text.removeprefix(_UNLABELLED)
    name, colon, part = plain.partition(":")
    if name != "embedded" or not colon:
        return load(text, data_dir=data_dir, download=download, transform=transform, skip_bad=spec.skip_bad)
    if part not in _EMBEDDED_PARTS:
        raise InvalidInput(
            f"the embedded set has no part {part!r}; {', '.join(_EMBEDDED_PARTS)} are the parts, drawn by seed."
        )
    whole = load("embedded", data_dir=data_dir)
    assert whole.labels is not None
    parts = stratified_split(whole.labels, list(_EMBEDDED_PARTS.values()), stream(seed, "embedded split"))
    rows = parts[list(_EMBEDDED_PARTS).index(part)]
    found = Dataset(text, transform(images_of(whole).take(rows)), whole.labels[rows], whole.classes)
    return found if plain == text else found.unlabelled()


def _check(spec: AuditSpec, data: Data) -> None:
    pool, test = data.pool.inputs, data.test.inputs
    _check_parts(spec, data)
    if isinstance(pool, Images) and isinstance(test, Images) and pool.shape != test.shape:
        raise InvalidInput(
            f"the pool has images of shape {pool.shape} (height, width, channels), the test set {test.shape}; "
            f"make them agree, such as with --transform size=28x28."
        )
    shared = find_overlap(pool, test)
    if shared:
        raise InvalidInput(
            f"pool and test share {shared} {pool.medium}s; take them out of one, as a copy must be measured on what it "
            f"never saw."
        )


def _check_parts(spec: AuditSpec, data: Data) -> None:
    """Refuse parts that differ in medium and budgets that the pool cannot fill, before anything is charged."""
    medium = data.test.inputs.medium
    for role, part in (("pool", data.pool), ("training data", data.training)):
        if part is not None and part.inputs.medium != medium:
            raise InvalidInput(
                f"the {role} {part.name} holds {part.inputs.medium}s and the test set {data.test.name} {medium}s; a "
                "target is asked about one medium, so name sets of the same."
            )
    for text in spec.strategies:
        strategy = parse(text)
        if medium not in strategy.media:
            raise InvalidInput(
                f"strategy '{text}' handles {', '.join(sorted(strategy.media))}; the pool {data.pool.name} holds "
                f"{medium}s. Choose another strategy or another pool."
            )
        for budget in spec.budgets:
            spec.shares().sizes(strategy, budget).check(strategy, len(data.pool.inputs))
    check_folds(spec, data.training)
    check_architecture(spec.substitute, medium=medium)
    if spec.trains_target:
        check_architecture(spec.target.partition("@")[0], medium=medium)
    if spec.vectors is not None and medium != "text":
        raise InvalidInput(f"vectors is {spec.vectors!r}, and the pool {data.pool.name} holds {medium}s; leave it out.")


def word_vectors(spec: AuditSpec, data_dir: Path | None) -> Vectors | None:
    """Return the word vectors that networks for texts start from, or None where none are named."""
    return None if spec.vectors is None else _vectors(spec.vectors, data_dir)


@functools.lru_cache(maxsize=1)
def _vectors(text: str, data_dir: Path | None) -> Vectors:
    return load_vectors(text, data_dir)


def train_network(
    spec: AuditSpec,
    data: Data,
    seed: int,
    role: str,
    weights: Path,
    data_dir: Path | None,
    progress: Callable[[float], None],
) -> AnyClassifier:
    """Train a target (or, for the ceiling line, a second one) and save its weights; reuse them if there.

    How the training went is left beside the weights as ``.json``.
    """
    training = data.training
    if training is None or training.labels is None:
        raise InvalidInput(f"the target {spec.target} is trained here, so its data needs labels.")
    architecture = spec.target.partition("@")[0]
    if weights.exists():
        shape = training.inputs.shape if isinstance(training.inputs, Images) else None
        return load_classifier(weights, architecture, shape=shape, classes=len(training.classes))
    classifier = new_classifier(
        architecture,
        training.inputs,
        len(training.classes),
        rng=stream(seed, role, "initial weights"),
        vectors=word_vectors(spec, data_dir),
    )
    seen, watched = folds(spec, training, seed)
    history = fit(
        classifier,
        seen,
        watched=watched,
        schedule=Schedule.parse(spec.target_schedule),
        rng=stream(seed, role, "training"),
        progress=progress,
    )
    write_json(weights.with_suffix(".json"), {"schema": TRAINING_SCHEMA, **asdict(history)})
    save_classifier(classifier, weights)
    return classifier


def held_out(oracle: Oracle, test: Inputs) -> Answers:
    """Ask the target about every held-out input, on the oracle's own account; return all it says.

    A few are asked twice first: a target that does not answer the same way twice cannot be audited.
    """
    if not oracle.verify(test):
        first = test.take(range(min(_PROBE, len(test))))
        oracle.ask(first)
        oracle.verify(first)
    return oracle.ask(test)


def ceiling_agreement(second: AnyClassifier, test: Inputs, answers: IntArray) -> float:
    """Return the agreement between the target and an independently trained second one."""
    return measures.agreement(answers, second.labels(test))
