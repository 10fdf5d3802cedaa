"""What a solver refuses, said once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from copycost._types import AnyArray, Float32Array, FloatArray, IntArray
from copycost.errors import InvalidInput
from copycost.similarity import Similarity
from copycost.similarity._threads import start_threads
from copycost.subsets._inspect import inspect

__all__ = ["Keep", "Starts"]

Keep = AnyArray | list[int] | None
Starts = int | AnyArray | list[int] | None
Init = Literal["min-sum", "min-max"]

# Two entries that should be equal may differ by this part of themselves: blocks computed apart round apart.
RELATIVE = 1e-4
PROBED = 32
PANEL_BYTES = 8 << 20


def check_k(k: int, n: int) -> int:
    """Return ``k`` as an int if a subset of that size exists among ``n`` points."""
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)):
        raise InvalidInput(f"k is {k!r}; a whole number from 1 to {n} is needed. Pass an int.")
    if not 1 <= k <= n:
        raise InvalidInput(
            f"k is {k}, but the similarity has {n} points; k from 1 to {n} is allowed. "
            "Ask for fewer points, or pass a similarity with more."
        )
    return int(k)


def check_choice(name: str, value: str, allowed: tuple[str, ...]) -> None:
    """Refuse a ``value`` of the argument ``name`` that is not one of ``allowed``."""
    if value not in allowed:
        listed = ", ".join(repr(one) for one in allowed)
        raise InvalidInput(f"{name} is {value!r}; {listed} are allowed. Choose one of them.")


def resolve_starts(starts: Starts, n: int, rng: np.random.Generator | None) -> IntArray:
    """Return the starts to walk from: all, a drawn count, or those given, in the order given."""
    if starts is None:
        return np.arange(n, dtype=np.int64)
    if isinstance(starts, (int, np.integer)) and not isinstance(starts, bool):
        return _drawn(int(starts), n, rng)
    given = np.asarray(starts)
    if given.ndim != 1 or given.size == 0 or not np.issubdtype(given.dtype, np.integer):
        raise InvalidInput(
            f"starts is {starts!r}; None for all points, a count, or a list of point numbers is needed. "
            "Pass at least one point, as integers in one dimension."
        )
    if given.min() < 0 or given.max() >= n:
        raise InvalidInput(
            f"starts holds points from {given.min()} to {given.max()}; 0 to {n - 1} are allowed. "
            "Leave out the points that the similarity does not have."
        )
    return given.astype(np.int64)


def _drawn(count: int, n: int, rng: np.random.Generator | None) -> IntArray:
    if not 1 <= count <= n:
        raise InvalidInput(f"starts is {count}; a count from 1 to {n} is allowed. Pass None for all points.")
    if rng is None:
        raise InvalidInput(
            f"starts is the count {count} and rng is None; the starts are drawn by a generator. "
            "Pass rng=numpy.random.default_rng(seed), or name the starts as a list."
        )
    return rng.choice(n, size=count, replace=False).astype(np.int64)


def check_keep(keep: Keep, k: int, n: int) -> list[int]:
    """Return the points that are to be kept, in the order given; none for None."""
    given = np.asarray([] if keep is None else keep)
    if given.ndim == 1 and given.size == 0:
        return []
    if given.ndim != 1 or given.dtype.kind not in "iu":
        raise InvalidInput(
            f"keep is {keep!r}; None or a list of point numbers is needed. "
            "Pass integers in one dimension (numpy.flatnonzero turns a mask into them)."
        )
    if given.min() < 0 or given.max() >= n or np.unique(given).size != given.size:
        raise InvalidInput(
            f"keep holds points from {given.min()} to {given.max()}, {np.unique(given).size} distinct of {given.size}; "
            f"distinct points from 0 to {n - 1} are needed. Pass each point once."
        )
    if given.size > k:
        raise InvalidInput(f"keep holds {given.size} points and k is {k}; ask for a k of at least {given.size}.")
    points: list[int] = given.tolist()
    return points


def check_matrix(matrix: Float32Array) -> Float32Array:
    """Return a float32 matrix (n, n) that kernels may read: symmetric, finite, with a finite diagonal."""
    start_threads()
    largest, gap = inspect(matrix)
    if not np.isfinite(largest).all():
        _refuse_value(int(np.flatnonzero(~np.isfinite(largest))[0]))
    if gap.size and gap.max() > 1e-6 * largest.max():
        _refuse_asymmetry(int(gap.argmax()), float(gap.max()))
    if not np.isfinite(np.diagonal(matrix)).all():
        matrix = matrix.copy()
        np.fill_diagonal(matrix, 0)
    return matrix


def check_row(row: Float32Array, point: int) -> Float32Array:
    """Return a row of a similarity that kernels may read: finite, the diagonal included."""
    if not np.isfinite(row[point]):
        row = row.copy()
        row[point] = 0
    if not np.isfinite(row).all():
        _refuse_value(point)
    return row


def check_symmetric(block: Float32Array, points: IntArray) -> None:
    """Refuse a square block whose two triangles differ by more than rounding explains, the diagonal apart."""
    largest = 0.0
    for rows, direct in _panels(block):
        if not np.isfinite(direct).all():
            _refuse_value(int(points[rows[~np.isfinite(direct).all(axis=1)][0]]))
        largest = max(largest, float(np.abs(direct).max()))
    gaps = np.zeros(len(block))
    for (rows, direct), (_, mirror) in zip(_panels(block), _panels(block.T), strict=True):
        allowed = RELATIVE * np.maximum(np.abs(direct), np.abs(mirror))
        gaps[rows] = (np.abs(direct - mirror) - allowed).max(axis=1)
    if gaps.max() > 1e-6 * largest:
        _refuse_asymmetry(int(points[int(gaps.argmax())]), float(gaps.max()))


def _panels(block: Float32Array) -> Iterator[tuple[IntArray, FloatArray]]:
    """Yield row numbers and those rows of a square block in float64, 0 on the diagonal, so many as stay small."""
    step = max(1, PANEL_BYTES // (8 * len(block)))
    for start in range(0, len(block), step):
        rows = np.arange(start, min(start + step, len(block)))
        panel = block[rows].astype(np.float64)
        panel[rows - start, rows] = 0
        yield rows, panel


def probe_symmetry(similarity: Similarity) -> None:
    """Check a similarity that is too large to read whole, on points spread evenly over it."""
    points = np.unique(np.linspace(0, similarity.n - 1, min(PROBED, similarity.n)).astype(np.int64))
    check_symmetric(similarity.block(points, points), points)


def check_members(members: AnyArray, n: int) -> None:
    """Refuse ``members`` that are not distinct point numbers below ``n``."""
    if members.ndim != 1 or members.size == 0 or not np.issubdtype(members.dtype, np.integer):
        raise InvalidInput(
            f"subset has shape {members.shape} and dtype {members.dtype}; "
            "one dimension of point numbers is needed. Pass a Subset or a list of integers."
        )
    if members.min() < 0 or members.max() >= n or np.unique(members).size != members.size:
        raise InvalidInput(
            f"subset holds points from {members.min()} to {members.max()}, "
            f"{np.unique(members).size} distinct of {members.size}; "
            f"distinct points from 0 to {n - 1} are needed. Pass each point once."
        )


def _refuse_value(point: int) -> None:
    raise InvalidInput(
        f"similarity has NaN or infinity in the row of point {point}; "
        "finite values are needed off the diagonal. Compute that row anew, or leave the point out."
    )


def _refuse_asymmetry(point: int, gap: float) -> None:
    raise InvalidInput(
        f"similarity is not symmetric: the row and the column of point {point} differ by {gap:.3g}; "
        "the similarity of i and j must be that of j and i. Pass (matrix + matrix.T) / 2 if a mean is meant."
    )
