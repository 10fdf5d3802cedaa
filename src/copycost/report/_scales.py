"""Axes: where a value lies, and which ticks are tidy."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Scale", "query_scale", "share_scale", "tidy_ticks"]

_LOGARITHMIC_FROM = 40.0


@dataclass(frozen=True)
class Scale:
    """Maps values from ``low`` to ``high`` onto pixels from ``start`` to ``stop``; values beyond are kept inside."""

    low: float
    high: float
    start: float
    stop: float
    ticks: tuple[float, ...]
    logarithmic: bool = False

    def moved(self, pixels: float) -> Scale:
        """Return the same axis a few pixels further on, so that marks of several series do not cover each other."""
        return dataclasses.replace(self, start=self.start + pixels, stop=self.stop + pixels)

    def __call__(self, value: float) -> float:
        inside = min(max(value, self.low), self.high)
        if self.logarithmic:
            part = math.log(inside / self.low) / math.log(self.high / self.low)
        else:
            part = (inside - self.low) / (self.high - self.low)
        return self.start + part * (self.stop - self.start)


def tidy_ticks(low: float, high: float, about: int) -> tuple[float, ...]:
    """Return round numbers from ``low`` to ``high``, about as many as asked for.

    Examples
    --------
    >>> tidy_ticks(0, 640, 7)
    (0.0, 100.0, 200.0, 300.0, 400.0, 500.0, 600.0)
    """
    rough = (high - low) / max(about, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return tuple(round(index * step, 10) for index in range(first, last + 1))


def query_scale(budgets: Sequence[int], start: float, stop: float, *, about: int) -> Scale:
    """Return an axis of queries: from 0, or logarithmic where the budgets span more than a factor of 40."""
    smallest, largest = min(budgets), max(budgets)
    if largest / smallest <= _LOGARITHMIC_FROM:
        return Scale(0.0, largest * 1.04, start, stop, tidy_ticks(0, largest * 1.04, about))
    low, high = smallest / 1.15, largest * 1.15
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    factors = (1, 2, 5) if len(decades) <= about // 2 + 1 else (1,)
    ticks = tuple(
        float(factor * 10**decade) for decade in decades for factor in factors if low <= factor * 10.0**decade <= high
    )
    return Scale(low, high, start, stop, ticks, logarithmic=True)


def share_scale(values: Sequence[float], start: float, stop: float) -> Scale:
    """Return an axis of shares that holds every value, ends on a tidy number and never leaves 0 to 1."""
    low, high = max(0.0, min(values)), min(1.0, max(values))
    span = max(high - low, 0.05)
    step = next(step for step in (0.01, 0.02, 0.05, 0.1, 0.2) if span / step <= 6)
    bottom = max(0.0, step * math.floor(round((low - 0.02 * span) / step, 9)))
    top = min(1.0, step * math.ceil(round((high + 0.02 * span) / step, 9)))
    if top - bottom < step:
        bottom = max(0.0, top - step)
    return Scale(
        bottom,
        top,
        start,
        stop,
        tuple(round(bottom + index * step, 10) for index in range(round((top - bottom) / step) + 1)),
    )
