"""Dividing a number or a data set in proportion."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from copycost._types import IntArray
from copycost.errors import InvalidInput


def largest_remainder(total: int, weights: npt.ArrayLike) -> IntArray:
    """Divide ``total`` into whole parts in proportion to ``weights`` by the largest remainder.

    Each part gets its share rounded down; what is left goes, one each, to the largest remainders, and to the
    lowest index among equal ones. The arithmetic is exact, so that equal weights always tie.

    Parameters
    ----------
    total : int
        What to divide, at least 0.
    weights : array (n,)
        Not negative, finite, and not all 0.

    Returns
    -------
    int64 array (n,)
        Parts that sum to ``total``; each differs from its exact share by less than 1.

    Raises
    ------
    InvalidInput
        If the total is negative, or the weights are none, negative, infinite, NaN or all 0.

    Examples
    --------
    >>> largest_remainder(50, [3, 3, 1]).tolist()
    [22, 21, 7]
    """
    if total < 0:
        raise InvalidInput(f"total is {total}; a number of at least 0 is needed.")
    array = np.asarray(weights)
    if array.ndim != 1 or array.dtype.kind not in "iuf" or not (np.isfinite(array) & (array >= 0)).all():
        raise InvalidInput(f"weights are {weights!r}; a vector of finite numbers that are not negative is needed.")
    exact = [Fraction(weight) for weight in array.tolist()]
    whole = sum(exact, start=Fraction(0))
    if whole == 0:
        raise InvalidInput(f"weights are {weights!r}; at least one must be above 0.")
    shares = [int(total) * weight / whole for weight in exact]
    parts = [int(share) for share in shares]
    by_remainder = sorted(range(len(parts)), key=lambda i: parts[i] - shares[i])
    for i in by_remainder[: total - sum(parts)]:
        parts[i] += 1
    return np.array(parts, dtype=np.int64)


def stratified_split(labels: npt.ArrayLike, sizes: Sequence[int], rng: np.random.Generator) -> tuple[IntArray, ...]:
    """Draw disjoint parts of a data set, each balanced by class in proportion to what is left of each class.

    Parameters
    ----------
    labels : int array (n,)
        The class of each input.
    sizes : sequence of int
        Size of each part, at least 1; their sum is at most n.
    rng : numpy.random.Generator
        Draws the members and their order.

    Returns
    -------
    tuple of int64 arrays
        Indices of each part in random order, not by class.

    Raises
    ------
    InvalidInput
        If the labels are no vector of whole numbers, a size is below 1, or the sizes exceed the labels.

    Examples
    --------
    >>> train, test = stratified_split([0, 0, 0, 1, 1, 1], [4, 2], np.random.default_rng(0))
    >>> sorted(train.tolist() + test.tolist())
    [0, 1, 2, 3, 4, 5]
    """
    given = np.asarray(labels)
    if given.ndim != 1 or given.size == 0 or given.dtype.kind not in "iu":
        raise InvalidInput(
            f"labels have shape {given.shape} and dtype {given.dtype}; a vector of whole numbers is needed."
        )
    sizes = list(sizes)
    if not sizes or min(sizes) < 1 or sum(sizes) > len(given):
        raise InvalidInput(
            f"sizes are {sizes}; each must be at least 1 and their sum at most {len(given)}, the number of labels."
        )
    order = rng.permutation(len(given))
    classes = given[order]
    queues = [np.flatnonzero(classes == name) for name in np.unique(classes)]
    parts = []
    for size in sizes:
        counts = largest_remainder(size, [len(queue) for queue in queues])
        drawn = [queue[:count] for queue, count in zip(queues, counts, strict=True)]
        queues = [queue[count:] for queue, count in zip(queues, counts, strict=True)]
        parts.append(rng.permutation(order[np.concatenate(drawn)]))
    return tuple(parts)
