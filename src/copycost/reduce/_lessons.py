"""Accuracy against size, where labels are known and torch is installed."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from copycost._streams import stream
from copycost._types import IntArray
from copycost.datasets import Dataset, align_classes, find_overlap, images_of, load, stratified_split
from copycost.errors import InvalidInput, MissingExtra
from copycost.reduce._choice import Chooser
from copycost.reduce._curve import DRAWS, Point, choices
from copycost.reduce._pool import Pool

if TYPE_CHECKING:
    from copycost.reduce._accuracy import Lesson

__all__ = ["can_train", "held_out_count", "test_set", "with_accuracy"]

_HELD_OUT = 2000  # images at most, a fifth of the pool, where no test set is given


def can_train(pool: Pool) -> bool:
    """Return whether accuracy can be measured: labels are known and torch is installed."""
    return pool.data.labels is not None and _has_torch()


def _has_torch() -> bool:
    try:
        importlib.import_module("torch")
    except ImportError:
        return False
    return True


def test_set(pool: Pool, test: str, data_dir: Path | None) -> Dataset:
    """Load the set that accuracy is measured on.

    Raises
    ------
    InvalidInput
        If the pool has no labels, or the test set does not suit it.
    MissingExtra
        If torch is not installed.
    """
    if pool.data.labels is None:
        raise InvalidInput(
            f"a test set is given, but {pool.data.name} has no labels, without which there is no accuracy."
        )
    if not _has_torch():
        raise MissingExtra("accuracy needs torch; install it with: pip install 'copycost[audit]'")
    held = load(test, data_dir=data_dir, transform=pool.transform)
    if held.labels is None or images_of(held).shape != pool.compared.shape:
        raise InvalidInput(
            f"the test set {test} has images of shape {images_of(held).shape} and "
            f"{'no labels' if held.labels is None else 'labels'}; images as the pool's, {pool.compared.shape}, with "
            "labels are needed. Name another, or leave --test out to hold a part of the pool out."
        )
    if find_overlap(pool.compared, images_of(held)):
        raise InvalidInput(f"the test set {test} shares images with the pool; name one that does not.")
    _aligned(pool.data, held)
    return held


def held_out_count(pool: Pool, kept: int, largest: int) -> int:
    """Return how many images are held out where no test set is given: a fifth, at most 2,000, none that is kept.

    Raises
    ------
    InvalidInput
        If that leaves fewer than the ``largest`` choice needs.
    """
    count = min(_HELD_OUT, len(pool) // 5, len(pool) - kept - 1)
    if count < 1 or len(pool) - count < largest:
        raise InvalidInput(
            f"to measure accuracy at {largest} images, {max(count, 1)} of the pool's {len(pool)} would be held out, "
            "which leaves too few; name a test set with --test, ask for smaller --sizes, or leave accuracy out with "
            "--no-accuracy."
        )
    return count


def with_accuracy(
    points: Sequence[Point],
    chooser: Chooser,
    pool: Pool,
    sizes: Sequence[int],
    *,
    test: Dataset | None,
    say: Callable[[str], None],
) -> list[Point]:
    """Return the points of a curve with the accuracy of LeNet-5 trained on what the strategy and random choose.

    Without a test set a part of the pool is held out, and the choices are made anew on the rest.

    Raises
    ------
    InvalidInput
        If too little is left of the pool.
    """
    from copycost.reduce import _accuracy

    lesson, chooser = _held_out(chooser, pool, sizes) if test is None else (_given(pool, test), chooser)
    strategies = list(dict.fromkeys(point.strategy for point in points))
    trainings = len(strategies) * len(sizes) * DRAWS
    seconds = _accuracy.seconds_per_training(lesson) * trainings
    say(
        f"accuracy: {trainings} trainings of LeNet-5, about {max(1, round(seconds))} seconds; "
        f"tested on {len(lesson.test)} images {'held out' if test is None else 'of ' + test.name}"
    )
    found = {}
    for strategy in strategies:
        draws = [choices(dataclasses.replace(chooser, strategy=strategy, seed=seed), sizes) for seed in range(DRAWS)]
        for place, size in enumerate(sizes):
            sets = [draw[place] for draw in draws]
            found[strategy, size] = _accuracy.measure(lesson, sets, chooser.report)
    return [dataclasses.replace(point, accuracy=found[point.strategy, point.size]) for point in points]


def _aligned(pool: Dataset, test: Dataset) -> tuple[Dataset, Dataset]:
    """Return both with the same numbers for the same classes; the one with fewer takes the other's."""
    if len(test.classes) <= len(pool.classes):
        return pool, align_classes(test, pool, role="test set", reference_role="pool")
    return align_classes(pool, test, role="pool", reference_role="test set"), test


def _given(pool: Pool, test: Dataset) -> Lesson:
    from copycost.reduce._accuracy import Lesson

    data, held = _aligned(pool.data, test)
    classes = max(len(data.classes), len(held.classes))
    return Lesson(pool.compared, _labels(data), images_of(held), _labels(held), classes)


def _labels(data: Dataset) -> IntArray:
    if data.labels is None:
        raise InvalidInput(f"{data.name} has no labels, without which there is no accuracy.")
    return data.labels


def _held_out(chooser: Chooser, pool: Pool, sizes: Sequence[int]) -> tuple[Lesson, Chooser]:
    from copycost.reduce._accuracy import Lesson

    labels = _labels(pool.data)
    free = np.setdiff1d(np.arange(len(pool)), chooser.keep)
    count = held_out_count(pool, len(chooser.keep), max(sizes))
    (drawn,) = stratified_split(labels[free], [count], stream(chooser.seed, "reduce", "held out"))
    held = np.sort(free[drawn])
    rest = np.setdiff1d(np.arange(len(pool)), held)
    smaller = dataclasses.replace(
        chooser,
        similarity=chooser.similarity.restrict(rest),
        labels=None if chooser.labels is None else chooser.labels[rest],
        keep=np.searchsorted(rest, chooser.keep),
    )
    lesson = Lesson(
        pool.compared.take(rest), labels[rest], pool.compared.take(held), labels[held], len(pool.data.classes)
    )
    return lesson, smaller
