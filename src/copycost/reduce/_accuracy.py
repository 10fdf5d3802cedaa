"""What a network learns from a reduced set, beside a random one of the same size. Needs torch."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from copycost._streams import stream
from copycost._types import IntArray
from copycost.inputs import Images
from copycost.measures import Interval, accuracy, student_interval
from copycost.networks import Classifier, build
from copycost.oracle import Answers
from copycost.substitutes import Labelled, Schedule, fit

__all__ = ["ARCHITECTURE", "Lesson", "measure", "seconds_per_training"]

ARCHITECTURE = "lenet5"
_SCHEDULE = Schedule()
_TRIAL = Schedule(length=30)


@dataclass(frozen=True, eq=False)
class Lesson:
    """What is trained on and tested on: images with labels (n,), and others with theirs."""

    train: Images
    train_labels: IntArray
    test: Images
    test_labels: IntArray
    classes: int


def measure(lesson: Lesson, sets: Sequence[IntArray], report: Callable[[str, float], None]) -> Interval:
    """Return the accuracy of LeNet-5 trained on each set, one seed a set, with its Student interval."""
    scores = [_train(lesson, chosen, seed, _SCHEDULE, report) for seed, chosen in enumerate(sets)]
    return student_interval(scores)


def seconds_per_training(lesson: Lesson) -> float:
    """Return how long one training takes here, from one that is a hundred times shorter."""
    few = np.arange(min(len(lesson.train), 50))
    for _ in range(2):  # the first call warms torch up
        start = time.perf_counter()
        _train(lesson, few, 0, _TRIAL, lambda what, share: None)
        elapsed = time.perf_counter() - start
    return elapsed * _SCHEDULE.length / _TRIAL.length


def _train(
    lesson: Lesson, chosen: IntArray, seed: int, schedule: Schedule, report: Callable[[str, float], None]
) -> float:
    network = build(ARCHITECTURE, lesson.train.shape, lesson.classes, rng=stream(seed, "initial weights"))
    classifier = Classifier(network)
    fit(
        classifier,
        Labelled(lesson.train.take(chosen), Answers(lesson.train_labels[chosen])),
        schedule=schedule,
        rng=stream(seed, "training", len(chosen)),
        progress=lambda share: report(f"training on {len(chosen)}", share),
    )
    return accuracy(classifier.labels(lesson.test), lesson.test_labels)
