"""Axes of charts: what each holds, how it is scaled, how its values are written, and its drawing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from copycost.measures import Interval
from copycost.report._scales import Scale, query_scale, share_scale, tidy_ticks
from copycost.report._svg import element
from copycost.report._text import count, level, with_interval

__all__ = [
    "EPOCHS",
    "QUERIES",
    "SHARE",
    "SHARES",
    "Frame",
    "Onward",
    "Upward",
    "amount_scale",
    "onward_axis",
    "upward_axis",
]


@dataclass(frozen=True)
class Frame:
    """The size of a chart, the margins of its plot, and about how many ticks its horizontal axis has."""

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    ticks: int

    @property
    def plot_right(self) -> float:
        """Where the plot ends."""
        return self.width - self.right

    @property
    def plot_bottom(self) -> float:
        """Where the plot ends below."""
        return self.height - self.bottom

    def headed(self, pixels: float) -> Frame:
        """Return the same plot with more room above it."""
        return replace(self, height=self.height + pixels, top=self.top + pixels)


@dataclass(frozen=True)
class Upward:
    """A vertical axis.

    Attributes
    ----------
    name : str
        Its title with its unit, above it; without one the ticks have to say what they are.
    scale : callable
        From the values it has to hold and the pixels of its two ends.
    tick, words : callable
        How a tick, and how a mean with its interval, are written.
    """

    name: str
    scale: Callable[[Sequence[float], float, float], Scale]
    tick: Callable[[float], str]
    words: Callable[[Interval], str]


@dataclass(frozen=True)
class Onward:
    """A horizontal axis of whole numbers: its title, its scale, and how a place on it is written.

    Where marks would stand nearer than ``spacing`` pixels, only some of them are drawn.
    """

    name: str
    scale: Callable[[Sequence[int], Frame], Scale]
    words: Callable[[int], str]
    spacing: float = 0.0


def amount_scale(values: Sequence[float], start: float, stop: float) -> Scale:
    """Return an axis of amounts of any size that holds every value and ends on tidy numbers.

    Examples
    --------
    >>> amount_scale([0.31, 2.2], 100, 0).ticks
    (0.0, 0.5, 1.0, 1.5, 2.0, 2.5)
    """
    low, high = min(values), max(values)
    if high - low < _LEAST * max(1.0, abs(high)):
        high = low + max(abs(low), 1.0) / 2
    first, second, *_ = inner = tidy_ticks(low, high, _AMOUNTS)
    step = second - first
    before = (first - step,) if first - low > step * _LEAST else ()
    after = (inner[-1] + step,) if high - inner[-1] > step * _LEAST else ()
    ticks = tuple(round(tick, 10) for tick in (*before, *inner, *after))
    return Scale(ticks[0], ticks[-1], start, stop, ticks)


_LEAST = 1e-6
_AMOUNTS = 5


def _queries(budgets: Sequence[int], frame: Frame) -> Scale:
    return query_scale(budgets, frame.left, frame.plot_right, about=frame.ticks)


def _epochs(epochs: Sequence[int], frame: Frame) -> Scale:
    """Return an axis from the first epoch to the last, with a little room on both sides."""
    first, last = min(epochs), max(epochs)
    room = 0.04 * (last - first) or 0.5
    near = tidy_ticks(first, last, frame.ticks) if last > first else (first,)
    ticks = tuple(float(tick) for tick in near if float(tick).is_integer())
    return Scale(first - room, last + room, frame.left, frame.plot_right, ticks)


SHARES = Upward("", share_scale, level, with_interval)
QUERIES = Onward("queries", _queries, lambda number: f"{count(number)} queries")
EPOCHS = Onward("epoch", _epochs, lambda number: f"epoch {count(number)}", spacing=14.0)
SHARE = Onward("share (%)", _epochs, lambda number: f"{count(number)} %")


def upward_axis(axis: Upward, up: Scale, frame: Frame) -> Markup:
    """Draw a vertical axis: a faint line and a number at each tick, and the title above."""
    parts = []
    for tick in up.ticks:
        y = up(tick)
        parts.append(element("line", x1=frame.left, x2=frame.plot_right, y1=y, y2=y, class_="grid"))
        parts.append(element("text", axis.tick(tick), x=frame.left - 8, y=y + 4, class_="tick end"))
    if axis.name:
        parts.append(element("text", axis.name, x=4.0, y=13.0, class_="tick name"))
    return element("g", *parts)


def onward_axis(axis: Onward, across: Scale, frame: Frame) -> Markup:
    """Draw a horizontal axis below the plot, with its title."""
    base = frame.plot_bottom
    parts = [element("line", x1=frame.left, x2=frame.plot_right, y1=base, y2=base, class_="axis")]
    for tick in across.ticks:
        x = across(tick)
        parts.append(element("line", x1=x, x2=x, y1=base, y2=base + 5, class_="axis"))
        parts.append(element("text", count(tick), x=x, y=base + 19, class_="tick middle"))
    words = f"{axis.name} (logarithmic)" if across.logarithmic else axis.name
    middle = (frame.left + frame.plot_right) / 2
    parts.append(element("text", words, x=middle, y=base + 38, class_="tick middle name"))
    return element("g", *parts)
