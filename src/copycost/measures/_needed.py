"""How many queries a given agreement needs: the number the project exists for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from copycost._types import FloatArray
from copycost.errors import InvalidInput
from copycost.measures._checks import check_level, checked_vector

State = Literal["reached", "at most", "not reached"]


@dataclass(frozen=True)
class QueriesNeeded:
    """The queries that a given agreement needs, with a bootstrap interval over seeds.

    Attributes
    ----------
    state : {"reached", "at most", "not reached"}
        Whether ``queries`` is an estimate, only an upper limit, or beyond the largest budget.
    queries : float or None
        Median over seeds, in queries; None if not reached.
    low : float or None
        Lower end of the interval; 0 where the smallest budget may already be enough; None (and ``high``
        None) for a single seed, which has no interval.
    high : float or None
        Upper end of the interval; None where it lies above the largest budget.
    reached, seeds : int
        Number of seeds that reach the agreement at some measured budget, and of all seeds.
    level : float
        The agreement asked for.
    smallest, largest : float
        The range of budgets that was measured, in queries.
    confidence : float
        Confidence of the interval.
    """

    state: State
    queries: float | None
    low: float | None
    high: float | None
    reached: int
    seeds: int
    level: float
    smallest: float
    largest: float
    confidence: float

    @property
    def words(self) -> str:
        """The same in plain English."""
        reached_by = f"reached by {self.reached} of {self.seeds} seed{'s' if self.seeds > 1 else ''}"
        if self.state == "not reached" or self.queries is None:
            return f"more than {self.largest:,.0f} queries ({reached_by})"
        head = f"at most {math.ceil(self.queries):,}" if self.state == "at most" else f"about {self.queries:,.0f}"
        notes = [self._interval_words()]
        if self.reached < self.seeds:
            notes.append(reached_by)
        return f"{head} queries ({'; '.join(notes)})"

    def _interval_words(self) -> str:
        if self.low is None:
            return "one seed, no interval"
        low = f"{self.low:,.0f}" if self.low > 0 else f"at most {self.smallest:,.0f}"
        high = f"more than {self.largest:,.0f}" if self.high is None else f"{self.high:,.0f}"
        ends = low if self.low == 0 and self.high == self.smallest else f"{low} to {high}"
        return f"{100 * self.confidence:g} % interval {ends}"


def queries_needed(
    budgets: npt.ArrayLike,
    agreement: npt.ArrayLike,
    level: float = 0.9,
    *,
    rng: np.random.Generator,
    resamples: int = 2000,
    confidence: float = 0.95,
) -> QueriesNeeded:
    """Return how many queries the substitute needs to reach an agreement of ``level``.

    Each seed's curve is joined by straight lines, and its first crossing counts, even if it dips again
    later. What lies outside the measured budgets is not extrapolated:

    - a seed already there at the smallest budget needs between 0 and that many queries;
    - a seed that never gets there needs more than the largest budget.

    The estimate is the median over seeds (the middle of the two middle ones if their number is even). Where
    a seed of the first kind enters it, with its upper limit, the state is "at most". Where half of the seeds
    or more never get there, the state is "not reached" and there is no estimate.

    The interval is the percentile bootstrap of that median: seeds are drawn with replacement, the lower end
    from the lower limits of the seeds, the upper end from their upper limits, each rounded outwards to a
    resampled median, so that a censored seed can only widen it. With few seeds it hardly exceeds their
    range; one seed has none.

    Parameters
    ----------
    budgets : array (m,)
        Measured budgets in queries, positive and strictly increasing.
    agreement : float array (seeds, m)
        Agreement of each seed at each budget, between 0 and 1.
    level : float
        The agreement asked for, above 0 and at most 1.
    rng : numpy.random.Generator
        Draws the resamples.
    resamples : int
        Number of resamples, at least 1.
    confidence : float
        Confidence of the interval, strictly between 0 and 1.

    Raises
    ------
    InvalidInput
        If an array is empty, contains NaN or has the wrong shape, the budgets do not increase, or an
        argument is out of range.

    Examples
    --------
    >>> curves = [[0.70, 0.92], [0.80, 0.94], [0.85, 0.95]]
    >>> queries_needed([100, 200], curves, rng=np.random.default_rng(0)).words
    'about 171 queries (95 % interval 150 to 191)'
    """
    steps, curves = _checked_curves(budgets, agreement)
    _check_settings(level, resamples, confidence)
    lower, upper = _limits(steps, curves, level)
    seeds = len(curves)
    median = float(_median(upper))
    state: State = "reached"
    if math.isinf(median):
        state = "not reached"
    elif int((lower == 0).sum()) > (seeds - 1) // 2:
        state = "at most"
    low: float | None = None
    high: float | None = None
    if seeds > 1:
        low, high = _bootstrap_ends(lower, upper, rng, resamples, confidence)
    return QueriesNeeded(
        state=state,
        queries=None if state == "not reached" else median,
        low=low,
        high=high,
        reached=int(np.isfinite(upper).sum()),
        seeds=seeds,
        level=level,
        smallest=float(steps[0]),
        largest=float(steps[-1]),
        confidence=confidence,
    )


def _checked_curves(budgets: npt.ArrayLike, agreement: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    steps = checked_vector("budgets", budgets)
    if steps[0] <= 0 or np.any(np.diff(steps) <= 0):
        raise InvalidInput(
            f"budgets are {steps.tolist()}; positive and strictly increasing numbers are needed: sort them."
        )
    curves = np.asarray(agreement)
    if curves.ndim != 2 or len(curves) == 0 or curves.shape[1] != len(steps) or curves.dtype.kind not in "iuf":
        raise InvalidInput(
            f"agreement has shape {curves.shape} and dtype {curves.dtype}; numbers of shape (seeds, "
            f"{len(steps)}) are needed, one row for each seed and one column for each budget."
        )
    curves = curves.astype(np.float64)
    if not np.all((curves >= 0) & (curves <= 1)):
        raise InvalidInput("agreement contains NaN or values outside [0, 1]; pass shares, not percentages.")
    return steps, curves


def _check_settings(level: float, resamples: int, confidence: float) -> None:
    if not 0 < level <= 1:
        raise InvalidInput(f"level is {level}; a share above 0 and at most 1 is needed, such as 0.9.")
    if resamples < 1:
        raise InvalidInput(f"resamples is {resamples}; at least 1 is needed, 1,000 or more for a stable interval.")
    check_level("confidence", confidence)


def _limits(budgets: FloatArray, curves: FloatArray, level: float) -> tuple[FloatArray, FloatArray]:
    """Return the lower and upper limits (seeds,) of what each seed needs, equal where it crosses."""
    there = curves >= level
    after = there.argmax(axis=1)
    before = np.maximum(after - 1, 0)
    seed = np.arange(len(curves))
    rise = curves[seed, after] - curves[seed, before]
    part = np.divide(level - curves[seed, before], rise, out=np.zeros(len(curves)), where=rise > 0)
    crossing = budgets[before] + part * (budgets[after] - budgets[before])
    never = ~there.any(axis=1)
    already = there[:, 0]
    lower = np.where(never, budgets[-1], np.where(already, 0.0, crossing))
    upper = np.where(never, np.inf, np.where(already, budgets[0], crossing))
    return lower, upper


def _median(values: FloatArray) -> FloatArray:
    """Return the median over the last axis, infinite values included."""
    ordered = np.sort(values, axis=-1)
    n = ordered.shape[-1]
    middle: FloatArray = (ordered[..., (n - 1) // 2] + ordered[..., n // 2]) / 2
    return middle


def _bootstrap_ends(
    lower: FloatArray, upper: FloatArray, rng: np.random.Generator, resamples: int, confidence: float
) -> tuple[float, float | None]:
    drawn = rng.integers(0, len(lower), (resamples, len(lower)))
    tail = (1 - confidence) / 2
    low = np.sort(_median(lower[drawn]))[math.floor(tail * (resamples - 1))]
    high = np.sort(_median(upper[drawn]))[math.ceil((1 - tail) * (resamples - 1))]
    return float(low), float(high) if math.isfinite(high) else None
