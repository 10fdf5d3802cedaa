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


def unpaired_interval(a: npt.ArrayLike, b: npt.ArrayLike, level: float = 0.95) -> Interval:
    """Return the difference of the means of ``a`` and ``b`` with Welch's interval, for values that share no seeds.

    Parameters
    ----------
    a, b : float arrays (n,) and (m,)
        Values of two audits.
    level : float
        Confidence of the interval, strictly between 0 and 1.

    Returns
    -------
    Interval
        Its ``n`` is the smaller count and its ``values`` are empty, as no value belongs to a pair.

    Raises
    ------
    InvalidInput
        If there is no value, one is NaN or infinite, or the level is out of range.
    """
    check_level("level", level)
    first, second = checked_vector("a", a), checked_vector("b", b)
    mean, n = float(first.mean() - second.mean()), min(len(first), len(second))
    if n == 1:
        return Interval(mean, None, None, 1, ())
    errors = np.array([first.var(ddof=1) / len(first), second.var(ddof=1) / len(second)])
    if errors.sum() == 0:
        return Interval(mean, mean, mean, n, ())
    freedom = errors.sum() ** 2 / (errors**2 / [len(first) - 1, len(second) - 1]).sum()
    half = float(stdtrit(freedom, (1 + level) / 2) * np.sqrt(errors.sum()))
    return Interval(mean, mean - half, mean + half, n, ())


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
