"""How the objective changes with the size, beside random choice."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from copycost._types import IntArray
from copycost.errors import InvalidInput
from copycost.measures import Interval, student_interval
from copycost.reduce._choice import Chooser, check_size, nearest_chosen
from copycost.reduce._write import write_table
from copycost.similarity import Similarity

__all__ = ["DRAWS", "Point", "choices", "curve", "parse_sizes", "write_curve"]

DRAWS = 3  # random choices beside the strategy's
_HEAD = (
    "size",
    "strategy",
    "coverage",
    "coverage_low",
    "coverage_high",
    "weight",
    "accuracy",
    "accuracy_low",
    "accuracy_high",
)


@dataclass(frozen=True)
class Point:
    """One strategy at one size.

    Attributes
    ----------
    size : int
    strategy : str
    coverage : Interval
        Mean over all images of the similarity to the nearest chosen, 0 to 1.
    weight : Interval
        Sum of MI^2 over the pairs chosen, in squared nats: what DRMI makes small.
    accuracy : Interval or None
        Of a network trained on the chosen images, where it was measured.
    """

    size: int
    strategy: str
    coverage: Interval
    weight: Interval
    accuracy: Interval | None = None


def parse_sizes(text: str, n: int, kept: int) -> list[int]:
    """Return the sizes of ``50,100,200``, ascending, each once.

    Raises
    ------
    InvalidInput
        If one is not a whole number, or cannot be had.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts):
        raise InvalidInput(f"--sizes is {text!r}; write whole numbers with commas between, such as 50,100,200.")
    sizes = sorted({int(part) for part in parts})
    for size in sizes:
        check_size(size, n, kept)
    return sizes


def choices(chooser: Chooser, sizes: Sequence[int]) -> list[IntArray]:
    """Return the choice for each size, from one run where smaller choices begin larger ones."""
    if chooser.labels is None and chooser.strategy != "drmi":
        largest = chooser.choose(max(sizes))
        return [largest[:size] for size in sizes]
    return [chooser.choose(size) for size in sizes]


def curve(chooser: Chooser, sizes: Sequence[int]) -> list[Point]:
    """Return the objective of the strategy at each size, then that of random choice (the mean of 3 draws)."""
    points = _points(chooser, sizes, [choices(chooser, sizes)])
    if chooser.strategy == "random":
        return points
    draws = [choices(dataclasses.replace(chooser, strategy="random", seed=seed), sizes) for seed in range(DRAWS)]
    return points + _points(dataclasses.replace(chooser, strategy="random"), sizes, draws)


def _points(chooser: Chooser, sizes: Sequence[int], draws: list[list[IntArray]]) -> list[Point]:
    found = []
    for place, size in enumerate(sizes):
        sets = [draw[place] for draw in draws]
        covered = [nearest_chosen(chooser.similarity, chosen, [size])[0].coverage for chosen in sets]
        weights = [weight(chooser.similarity, chosen) for chosen in sets]
        found.append(Point(size, chooser.strategy, student_interval(covered), student_interval(weights)))
    return found


def weight(similarity: Similarity, chosen: IntArray) -> float:
    """Return the sum of squared mutual information over the pairs of ``chosen``."""
    squares = np.square(similarity.block(chosen, chosen).astype(np.float64))
    return float(np.triu(squares, 1).sum())


def write_curve(path: Path, points: Sequence[Point]) -> None:
    """Write the points as CSV."""
    write_table(path, _HEAD, [_row(point) for point in points])


def _row(point: Point) -> list[object]:
    return [
        point.size,
        point.strategy,
        *_numbers(point.coverage),
        f"{point.weight.mean:.6g}",
        *(_numbers(point.accuracy) if point.accuracy else ("", "", "")),
    ]


def _numbers(interval: Interval) -> list[str]:
    return ["" if value is None else f"{value:.6f}" for value in (interval.mean, interval.low, interval.high)]
