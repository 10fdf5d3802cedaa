"""Walks from many starts, by rows or over the whole matrix, and the best of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from copycost._types import Float32Array, FloatArray, IntArray
from copycost.similarity import Dense, Similarity
from copycost.subsets import _kernels
from copycost.subsets._checks import check_matrix, check_symmetric, probe_symmetry
from copycost.subsets._clock import Clock, Progress
from copycost.subsets._subset import pair_sum, sorted_indices
from copycost.subsets._walks import greedy_walk, run_walks

__all__ = ["Plan", "Walks", "lightest_walk", "walk_all", "weigh", "whole_matrix"]

DENSE_BYTES = 2 << 30
STARTS_AT_ONCE = 512
WALK_BYTES = 64 << 20


@dataclass(frozen=True)
class Plan:
    """What to do from each start, and when to stop."""

    k: int
    by_max: bool
    replace: bool
    clock: Clock
    progress: Progress | None = None


@dataclass(frozen=True)
class Walks:
    """Where walks ended: members int64 (m, k), weights float64 (m,), exchanges int64 (m,)."""

    members: IntArray
    weights: FloatArray
    swaps: IntArray


def whole_matrix(similarity: Similarity, rows: int) -> Float32Array | None:
    """Return the checked matrix if it is held or fits and ``rows`` rows are no less work; else None."""
    n = similarity.n
    if 2 * rows < n or (4 * n * n > DENSE_BYTES and not isinstance(similarity, Dense)):
        return None
    return check_matrix(np.ascontiguousarray(similarity.dense().matrix, dtype=np.float32))


def walk_all(similarity: Similarity, matrix: Float32Array | None, starts: IntArray, plan: Plan) -> Walks:
    """Walk from ``starts`` in their order, as many as time allows; by rows where ``matrix`` is None."""
    parts: list[Walks] = []
    if matrix is None:
        probe_symmetry(similarity)
        step = max(1, WALK_BYTES // (16 * similarity.n))
    else:
        step = STARTS_AT_ONCE
    for left in range(0, starts.size, step):
        if parts and plan.clock.over():
            break
        part = starts[left : left + step]
        parts.append(_by_rows(similarity, part, plan) if matrix is None else _by_matrix(matrix, part, plan))
        if plan.progress is not None:
            plan.progress((left + part.size) / starts.size)
    return Walks(
        np.concatenate([part.members for part in parts]),
        np.concatenate([part.weights for part in parts]),
        np.concatenate([part.swaps for part in parts]),
    )


def _by_matrix(matrix: Float32Array, starts: IntArray, plan: Plan) -> Walks:
    return Walks(*_kernels.walk_dense(matrix, starts, plan.k, plan.by_max, plan.replace))


def _by_rows(similarity: Similarity, starts: IntArray, plan: Plan) -> Walks:
    walks = [greedy_walk(int(start), similarity.n, plan.k, plan.by_max, plan.replace) for start in starts]
    ended = run_walks(similarity, walks)
    return Walks(
        np.array([one.members for one in ended]),
        np.array([one.weight for one in ended]),
        np.array([one.swaps for one in ended]),
    )


def lightest_walk(similarity: Similarity, walks: Walks) -> tuple[int, float]:
    """Return the lightest walk and its weight, the earliest among equals.

    The running weights of equal subsets differ in their last bits with the order of additions, so all walks
    within rounding of the least are weighed anew in one fixed order.
    """
    weights = walks.weights
    near = np.flatnonzero(weights <= weights.min() + 1e-9 * np.abs(weights).max())
    weighed: dict[bytes, float] = {}
    best, least = -1, np.inf
    for walk in near:
        indices = sorted_indices(walks.members[walk])
        key = indices.tobytes()
        if key not in weighed:
            weighed[key] = weigh(similarity, indices)
        if weighed[key] < least:
            best, least = int(walk), weighed[key]
    return best, least


def weigh(similarity: Similarity, indices: IntArray) -> float:
    """Return the sum over all pairs of ``indices``, checked for symmetry on the way."""
    block = similarity.block(indices, indices)
    check_symmetric(block, indices)
    return pair_sum(block)
