"""Intervals over seeds, and when a difference may be claimed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from copycost.errors import InvalidInput
from copycost.measures._checks import check_level, checked_vector


@dataclass(frozen=True)
class Interval:
    """A mean over seeds with its confidence interval.

    Attributes
    ----------
    mean : float
        Mean of the values.
    low, high : float or None
        Ends of the interval; None for a single value, which says nothing about its spread.
    n : int
        Number of values.
    values : tuple of float
        The values themselves, in the order of the seeds.
    """

    mean: float
    low: float | None
    high: float | None
    n: int
    values: tuple[float, ...]


def student_interval(values: npt.ArrayLike, level: float = 0.95) -> Interval:
    """Return the mean of ``values`` with Student's t interval, in the units of the values.

    Equal values give an interval of zero width; it is not cut at 0 or 1 where the values are shares.

    Parameters
    ----------
    values : float array (n,)
        One value for each seed.
    level : float
        Confidence of the interval, strictly between 0 and 1.

    Raises
    ------
    InvalidInput
        If there is no value, one is NaN or infinite, or the level is out of range.

    Examples
    --------
    >>> interval = student_interval([0.90, 0.92, 0.94])
    >>> round(interval.low, 3), round(interval.mean, 3), round(interval.high, 3)
    (0.87, 0.92, 0.97)
    """
    check_level("level", level)
    numbers = checked_vector("values", values)
    n, kept = len(numbers), tuple(numbers.tolist())
    if n == 1:
        return Interval(kept[0], None, None, 1, kept)
    if np.all(numbers == numbers[0]):
        return Interval(kept[0], kept[0], kept[0], n, kept)
    mean = float(numbers.mean())
    half = float(stdtrit(n - 1, (1 + level) / 2) * numbers.std(ddof=1) / np.sqrt(n))
    return Interval(mean, mean - half, mean + half, n, kept)


def paired_interval(a: npt.ArrayLike, b: npt.ArrayLike, level: float = 0.95) -> Interval:
    """Return the mean of the differences a - b, seed by seed, with Student's t interval.

    Parameters
    ----------
    a, b : float arrays (n,)
        Values of two strategies for the same seeds in the same order.
    level : float
        Confidence of the interval, strictly between 0 and 1.

    Raises
    ------
    InvalidInput
        If the lengths differ, there is no value, one is NaN or infinite, or the level is out of range.

    Examples
    --------
    >>> difference_supported(paired_interval([0.90, 0.92, 0.95], [0.88, 0.91, 0.93]))
    True
    """
    first, second = checked_vector("a", a), checked_vector("b", b)
    if len(first) != len(second):
        raise InvalidInput(
            f"a has {len(first)} values and b has {len(second)}; a paired interval needs one value of each "
            "for every seed: leave out the seeds that only one of them has."
        )
    return student_interval(first - second, level)


def difference_supported(interval: Interval) -> bool:
    """Say whether an interval of differences leaves out 0; a single value supports nothing.

    Examples
    --------
    >>> difference_supported(student_interval([0.02, -0.03, 0.01]))
    False
    """
    if interval.low is None or interval.high is None:
        return False
    return interval.low > 0 or interval.high < 0
