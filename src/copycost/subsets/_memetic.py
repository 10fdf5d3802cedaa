"""A population of subsets improved by tabu search and crossed with each other (Wu and Hao 2013)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from copycost._types import Float32Array, IntArray
from copycost.subsets import _tabu
from copycost.subsets._clock import Clock, Progress

__all__ = ["POPULATION", "memetic_search"]

POPULATION = 10
PATIENCE = 20_000
MOVES = 200_000
STALE = 20
SLICE = 50_000_000


@dataclass
class _Search:
    """One run over one matrix: its limits, and what it has spent of them."""

    matrix: Float32Array
    clock: Clock
    rng: np.random.Generator
    progress: Progress | None
    limit: int | None
    moves: int = 0
    largest: Float32Array = field(init=False)

    def __post_init__(self) -> None:
        self.largest = _tabu.largest_of_rows(self.matrix)

    def over(self) -> bool:
        return self.clock.over() or (self.limit is not None and self.moves >= self.limit)

    def improve(self, members: IntArray) -> tuple[IntArray, float]:
        """Return the lightest subset that tabu search meets from ``members``, ascending, and its weight."""
        n, k = len(self.matrix), members.size
        members = members.copy()
        best = members.copy()
        sums, until = np.empty((2, n)), np.zeros((2, n), np.int64)
        counts, weights = np.zeros(2, np.int64), np.empty(2)
        weights[:] = _tabu.sums_to(self.matrix, members, sums[0])
        until[0, members] = _tabu.NEVER
        _tabu.release(sums[0], sums[1], until[0], 0)
        while counts[1] < PATIENCE and k < n and not self.over():
            step = max(100, SLICE // (n * k))
            if self.limit is not None:
                step = min(step, self.limit - self.moves)
            before = counts[0]
            _tabu.advance(
                self.matrix,
                self.largest,
                members,
                best,
                sums,
                until,
                counts,
                weights,
                PATIENCE,
                step,
                self.rng,
            )
            self.moves += int(counts[0] - before)
            self._tell()
        return np.sort(best), float(weights[1])

    def _tell(self) -> None:
        if self.progress is None:
            return
        if self.limit is not None:
            self.progress(self.moves / self.limit)
        elif self.clock.seconds is not None:
            self.progress(min(1.0, self.clock.spent() / self.clock.seconds))


class _Population:
    """The lightest distinct subsets so far."""

    def __init__(self) -> None:
        self.members: list[IntArray] = []
        self.weights: list[float] = []

    def admit(self, members: IntArray, weight: float) -> bool:
        """Take a new subset in where there is room or a heavier one; say whether it came in."""
        if any(np.array_equal(members, one) for one in self.members):
            return False
        if len(self.members) >= POPULATION:
            worst = int(np.argmax(self.weights))
            if weight >= self.weights[worst]:
                return False
            del self.members[worst], self.weights[worst]
        self.members.append(members)
        self.weights.append(weight)
        return True

    def best(self) -> IntArray:
        return self.members[int(np.argmin(self.weights))]

    def keep_best(self) -> None:
        lightest = int(np.argmin(self.weights))
        self.members, self.weights = [self.members[lightest]], [self.weights[lightest]]


def memetic_search(
    matrix: Float32Array,
    walked: IntArray,
    clock: Clock,
    iterations: int | None,
    rng: np.random.Generator,
    progress: Progress | None,
) -> tuple[IntArray, int]:
    """Search for the lightest subset, beginning with those of ``walked`` int64 (m, k), best first.

    Returns
    -------
    members : int64 (k,)
    moves : int
    """
    limit = MOVES if iterations is None and clock.seconds is None else iterations
    search = _Search(matrix, clock, rng, progress, limit)
    n, k = len(matrix), walked.shape[1]
    if k == 1:
        return np.zeros(1, np.int64), 0
    population = _Population()
    begin = _distinct(walked)
    population.admit(*search.improve(begin.pop(0)))
    if k == n:
        return population.best(), search.moves
    stale = 0
    while not search.over():
        if begin:
            population.admit(*search.improve(begin.pop(0)))
        elif len(population.members) < POPULATION // 2:
            population.admit(*search.improve(rng.permutation(n)[:k].astype(np.int64)))
        elif population.admit(*search.improve(_child(matrix, population, rng))):
            stale = 0
        else:
            stale += 1
            if stale >= STALE:
                population.keep_best()
                stale = 0
    return population.best(), search.moves


def _distinct(walked: IntArray) -> list[IntArray]:
    """Return the first subsets of ``walked`` that differ, as many as a population holds."""
    found: dict[bytes, IntArray] = {}
    for members in walked:
        if len(found) == POPULATION:
            break
        ordered = np.sort(members)
        found.setdefault(ordered.tobytes(), ordered)
    return list(found.values())


def _child(matrix: Float32Array, population: _Population, rng: np.random.Generator) -> IntArray:
    one, other = rng.choice(len(population.members), size=2, replace=False)
    child = np.empty_like(population.members[0])
    _tabu.crossed(matrix, population.members[one], population.members[other], child)
    return child
