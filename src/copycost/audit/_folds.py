"""Folds of the data that a target is trained on: a seed's target never sees one of them."""

from __future__ import annotations

import numpy as np

from copycost._streams import stream
from copycost._types import IntArray
from copycost.audit._spec import AuditSpec
from copycost.datasets import Dataset, largest_remainder, split_by_track, stratified_split, tracks_of
from copycost.errors import InvalidInput
from copycost.oracle import Answers
from copycost.substitutes import Labelled

__all__ = ["check_folds", "folds"]


def check_folds(spec: AuditSpec, training: Dataset | None) -> None:
    """Refuse folds by track of data that does not tell its tracks, or has too few, before anything is charged.

    Raises
    ------
    InvalidInput
    """
    if training is not None and spec.target_folds_by == "track" and training.labels is not None:
        _by_track(spec, training)


def folds(spec: AuditSpec, training: Dataset, seed: int) -> tuple[Labelled, Labelled | None]:
    """Return what a seed's target trains on, and the fold it does not see, if there are folds."""
    assert training.labels is not None
    whole = Labelled(training.inputs, Answers(training.labels))
    if not spec.target_folds:
        return whole, None
    parts = _by_track(spec, training) if spec.target_folds_by == "track" else _by_image(spec, training.labels)
    held = parts[seed % spec.target_folds]
    return whole.take(np.setdiff1d(np.arange(len(whole)), held)), whole.take(held)


def _by_image(spec: AuditSpec, labels: IntArray) -> tuple[IntArray, ...]:
    sizes = largest_remainder(len(labels), np.ones(spec.target_folds, np.int64)).tolist()
    return stratified_split(labels, sizes, stream(0, "target folds"))


def _by_track(spec: AuditSpec, training: Dataset) -> tuple[IntArray, ...]:
    tracks, labels = tracks_of(training), training.labels
    assert labels is not None
    if tracks is None:
        raise InvalidInput(
            f"target_folds_by is 'track', and {training.name} does not tell the video tracks of its images; an array "
            "file has them as its member 'track', GTSRB in the names of its files. Else use target_folds_by: image."
        )
    try:
        return split_by_track(labels, tracks, spec.target_folds, stream(0, "target folds by track"))
    except InvalidInput as error:
        raise InvalidInput(f"target_folds is {spec.target_folds}, and of {training.name} {error}") from None
