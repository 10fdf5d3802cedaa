"""Drawings of a data set, as inline SVG: bars of its classes, and its sample in a plane."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from copycost.report._marks import dots
from copycost.report._scales import Scale, tidy_ticks
from copycost.report._svg import element
from copycost.report._text import count, percent

__all__ = ["Dots", "balance_bars", "scatter"]

_WIDTH = 360.0
_PLOT = (62.0, 350.0, 10.0, 298.0)  # left, right, top, bottom
_HEIGHT = 344.0
_ROW = 19.0
_NAME = 118.0
_COUNT = 56.0
_LETTERS = 12


@dataclass(frozen=True)
class Dots:
    """Points of one class: its name, its place among the marks (None for all that share one), and where they lie."""

    name: str
    mark: int | None
    points: Sequence[tuple[float, float]]


def scatter(about: str, groups: Sequence[Dots], axes: tuple[str, str], *, numbers: bool) -> Markup:
    """Draw points in a plane.

    Parameters
    ----------
    about : what the chart shows, for those who cannot see it
    groups : classes, drawn in order, at least one point in all
    axes : names of the horizontal and the vertical axis
    numbers : whether the axes carry numbers; those of t-SNE mean nothing
    """
    left, right, top, bottom = _PLOT
    across = _scale([x for group in groups for x, _ in group.points], left + 6, right - 6)
    up = _scale([y for group in groups for _, y in group.points], bottom - 6, top + 6)
    frame = element("rect", x=left, y=top, width=right - left, height=bottom - top, class_="frame")
    parts = [frame, *_axis_names(axes)]
    if numbers:
        parts += [_tick(across(value), bottom + 17, value, "tick middle") for value in across.ticks]
        parts += [_tick(left - 5, up(value) + 4, value, "tick end") for value in up.ticks]
    parts += [
        dots(group.mark, [(across(x), up(y)) for x, y in group.points], f"{group.name}: {count(len(group.points))}")
        for group in groups
        if group.points
    ]
    return _svg(about, _HEIGHT, parts)


def _svg(about: str, height: float, parts: Sequence[Markup]) -> Markup:
    return element("svg", *parts, class_="plane", viewBox=f"0 0 360 {height:.0f}", role="img", aria_label=about)


def _scale(values: Sequence[float], start: float, stop: float) -> Scale:
    low, high = min(values), max(values)
    if high <= low:
        low, high = low - 1, high + 1
    return Scale(low, high, start, stop, tidy_ticks(low, high, 7))


def _tick(x: float, y: float, value: float, css: str) -> Markup:
    return element("text", f"{value:g}".replace("-", "−"), x=x, y=y, class_=css)


def _axis_names(axes: tuple[str, str]) -> list[Markup]:
    left, right, top, bottom = _PLOT
    x, y = (left + right) / 2, (top + bottom) / 2
    return [
        element("text", axes[0], x=x, y=bottom + 38, class_="tick middle"),
        element("text", axes[1], x=16.0, y=y, class_="tick middle", transform=f"rotate(-90 16 {y:.0f})"),
    ]


def balance_bars(about: str, classes: Sequence[str], counts: Sequence[int]) -> Markup:
    """Draw how many inputs each class has, a bar each."""
    most, total = max(max(counts), 1), max(sum(counts), 1)
    room = _WIDTH - _NAME - _COUNT - 8
    parts = []
    for row, (name, number) in enumerate(zip(classes, counts, strict=True)):
        y = row * _ROW
        words = f"{name}: {count(number)} ({percent(number / total)})"
        length = max(room * number / most, 1.0 if number else 0.0)
        parts += [
            element("text", _short(name), x=_NAME - 8, y=y + 14, class_="tick end"),
            element("rect", x=_NAME, y=y + 3, width=length, height=_ROW - 6, class_="balance"),
            element("text", count(number), x=_NAME + length + 6, y=y + 14, class_="tick"),
            element("rect", element("title", words), x=0.0, y=y, width=_WIDTH, height=_ROW, class_="hit"),
        ]
    return _svg(about, len(counts) * _ROW + 4, parts)


def _short(name: str) -> str:
    return name if len(name) <= _LETTERS else f"{name[: _LETTERS - 1]}…"
