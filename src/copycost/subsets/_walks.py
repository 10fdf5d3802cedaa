"""Algorithms 2 and 3 by rows: only the rows of points that are picked are ever asked for.

Each start is a generator that yields the number of the row it needs next and is sent that row. Walks go on
side by side, so that one call of ``block`` computes the rows that all of them need.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field

import numpy as np

from copycost._types import AnyArray, Float32Array, FloatArray, IntArray
from copycost.similarity import Similarity
from copycost.subsets import _kernels
from copycost.subsets._checks import check_row

Walk = Generator[int, Float32Array, "Walked"]


@dataclass
class Walked:
    """Where one walk ended: its members int64 (k,), their sums within the subset, and its exchanges."""

    members: IntArray
    inside: FloatArray
    swaps: int = 0
    total: FloatArray = field(default_factory=lambda: np.zeros(0))

    @property
    def weight(self) -> float:
        return float(self.inside.sum() / 2)


def greedy_walk(start: int, n: int, k: int, by_max: bool, replace: bool) -> Walk:
    """Algorithm 2 from ``start``, then Algorithm 3 where ``replace``."""
    state = Walked(np.empty(k, np.int64), np.zeros(k), total=np.zeros(n))
    highest = np.full(n if by_max else 0, -np.inf, np.float32)
    point = start
    for count in range(k):
        row = yield point
        _kernels.enter(state.members, state.inside, count, point, row)
        state.total[point] = np.inf
        following = _kernels.add_row(state.total, row)
        if by_max:
            highest[point] = np.inf
            following = _kernels.raise_row(highest, row)
        point = following
    return (yield from _replace(state)) if replace else state


def replacement_walk(members: IntArray, n: int) -> Walk:
    """Algorithm 3 from a given subset."""
    state = Walked(np.empty(members.size, np.int64), np.zeros(members.size), total=np.zeros(n))
    for count, point in enumerate(members):
        row = yield int(point)
        _kernels.enter(state.members, state.inside, count, int(point), row)
        state.total[point] = np.inf
        _kernels.add_row(state.total, row)
    return (yield from _replace(state))


def _replace(state: Walked) -> Walk:
    while True:
        position = _kernels.heaviest(state.members, state.inside)
        leaving = yield int(state.members[position])
        q = _kernels.least_difference(state.total, leaving)
        if state.total[q] == np.inf:
            return state
        entering = yield q
        if not _kernels.exchange(state.total, state.members, state.inside, position, entering, leaving, q):
            return state
        state.swaps += 1


def run_walks(similarity: Similarity, walks: list[Walk]) -> list[Walked]:
    """Drive ``walks`` to their ends in step, one ``block`` of distinct rows a step."""
    ended: dict[int, Walked] = {}
    waiting = {i: next(walk) for i, walk in enumerate(walks)}
    while waiting:
        wanted = np.unique(np.fromiter(waiting.values(), np.int64, len(waiting)))
        rows = _rows(similarity, wanted)
        following: dict[int, int] = {}
        for i, point in waiting.items():
            try:
                following[i] = walks[i].send(rows[point])
            except StopIteration as stop:
                ended[i] = stop.value
        waiting = following
    return [ended[i] for i in range(len(walks))]


def _rows(similarity: Similarity, wanted: AnyArray) -> dict[int, Float32Array]:
    block = np.ascontiguousarray(similarity.block(wanted), dtype=np.float32)
    return {int(point): check_row(row, int(point)) for point, row in zip(wanted, block, strict=True)}
