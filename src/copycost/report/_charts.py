"""The two kinds of chart of a page, as inline SVG: shares or amounts against queries or epochs, and queries needed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from copycost.measures import Interval, QueriesNeeded
from copycost.report._axes import QUERIES, SHARES, Frame, Onward, Upward, onward_axis, upward_axis
from copycost.report._marks import colour_class, marker
from copycost.report._scales import Scale, query_scale
from copycost.report._svg import element, number
from copycost.report._text import level, needed_words, percent, with_interval

__all__ = ["Line", "Reference", "Row", "line_chart", "range_chart", "shared_scale"]


@dataclass(frozen=True)
class Line:
    """A series of shares or amounts: its name, its place among the colours, and an interval for each budget.

    On an axis of epochs the budgets are epochs.
    """

    name: str
    colour: int
    budgets: tuple[int, ...]
    intervals: tuple[Interval, ...]


@dataclass(frozen=True)
class Reference:
    """A horizontal line to compare with, such as the ceiling, and what its label says."""

    interval: Interval
    label: str


@dataclass(frozen=True)
class Row:
    """Queries needed by one series."""

    name: str
    colour: int
    needed: QueriesNeeded


_WIDE = Frame(900, 420, 58, 46, 16, 48, 7)
_NARROW = Frame(358, 300, 46, 40, 14, 44, 4)


def line_chart(
    about: str,
    lines: Sequence[Line],
    *,
    values: Sequence[float],
    levels: Sequence[float] = (),
    ceiling: Reference | None = None,
    flat: Sequence[Line] = (),
    single: Sequence[Line] = (),
    up: Upward = SHARES,
    onward: Onward = QUERIES,
    description: str = "",
) -> Markup:
    """Draw shares or amounts, once for wide and once for narrow pages (the style sheet shows one of them).

    Parameters
    ----------
    about : what the chart shows, for those who cannot see it
    lines : at least one
    values : what the vertical axis has to hold, so that charts side by side can share it
    levels : shares marked by a faint line, where the axis holds them
    ceiling : the line to compare with
    flat : series of one figure each, drawn as level lines that end in it
    single : numbers to compare with, drawn as hollow marks that no line joins
    up, onward : the vertical and the horizontal axis
    description : more of what the chart shows, for those who cannot see it
    """
    drawn = _Drawn(lines, flat, single, values, levels, ceiling, up, onward, description)
    return Markup("").join(_lines(about, drawn, frame, css) for frame, css in _VARIANTS)


@dataclass(frozen=True)
class _Drawn:
    lines: Sequence[Line]
    flat: Sequence[Line]
    single: Sequence[Line]
    values: Sequence[float]
    levels: Sequence[float]
    ceiling: Reference | None
    up: Upward
    onward: Onward
    description: str

    def words(self, line: Line, budget: int, found: Interval) -> str:
        """Say what a point stands for."""
        return f"{line.name}, {self.onward.words(budget)}: {self.up.words(found)}"


_ROOM = 0.3
_MOST_BANDS = 3
_DODGE = 5.0
_TITLE = 18.0
_VARIANTS = ((_WIDE, "chart wide"), (_NARROW, "chart narrow"))


def shared_scale(lines: Sequence[Line], *others: float, room: float = _ROOM) -> list[float]:
    """Return the values that an axis has to hold: every mean, and the ends of intervals unless they lie far off.

    That is farther from the means than they lie apart, and than ``room``.
    """
    means = [interval.mean for line in lines for interval in line.intervals]
    room = max(room, max(means) - min(means))
    ends = [end for line in lines for one in line.intervals for end in (one.low, one.high) if end is not None]
    return [*others, *means, *(min(max(end, min(means) - room), max(means) + room) for end in ends)]


def _lines(about: str, drawn: _Drawn, frame: Frame, css: str) -> Markup:
    frame = frame.headed(_TITLE) if drawn.up.name else frame
    lines = [*drawn.lines, *drawn.flat]
    across = drawn.onward.scale([budget for line in (*lines, *drawn.single) for budget in line.budgets], frame)
    up = drawn.up.scale(drawn.values, frame.plot_bottom, frame.top)
    parts = [upward_axis(drawn.up, up, frame), onward_axis(drawn.onward, across, frame)]
    parts += _levels(drawn.levels, up, frame)
    if drawn.ceiling is not None:
        parts.append(_ceiling(drawn.ceiling, up, frame))
    beside = [across.moved(_DODGE * (index - (len(lines) - 1) / 2)) for index in range(len(lines))]
    placed = list(zip(lines, beside, strict=True))
    if len(lines) <= _MOST_BANDS:
        parts += [_band(line, own, up) for line, own in placed]
    parts += [_path(line, own, up) for line, own in placed[: len(drawn.lines)]]
    parts += [_level_line(line, own, up, frame) for line, own in placed[len(drawn.lines) :]]
    parts += [_points(line, own, up, drawn) for line, own in placed]
    parts += [element("g", _points(line, across, up, drawn), class_="single") for line in drawn.single]
    if drawn.description:
        parts.insert(0, element("desc", drawn.description))
    return _svg(about, frame.width, frame.height, css, parts)


def _svg(about: str, width: float, height: float, css: str, parts: Sequence[Markup]) -> Markup:
    return element(
        "svg", *parts, class_=css, viewBox=f"0 0 {number(width)} {number(height)}", role="img", aria_label=about
    )


def _levels(levels: Sequence[float], up: Scale, frame: Frame) -> list[Markup]:
    parts = []
    for value in levels:
        if up.low <= value <= up.high:
            y = up(value)
            line = element("line", x1=frame.left, x2=frame.plot_right, y1=y, y2=y, class_="level")
            name = element("text", level(value), x=frame.plot_right + 6, y=y + 4, class_="tick")
            parts.append(line if any(abs(value - tick) < 1e-9 for tick in up.ticks) else element("g", line, name))
    return parts


def _ceiling(ceiling: Reference, up: Scale, frame: Frame) -> Markup:
    interval, y = ceiling.interval, up(ceiling.interval.mean)
    parts = []
    if interval.low is not None and interval.high is not None:
        top = up(interval.high)
        height = max(up(interval.low) - top, 0.5)
        parts.append(
            element(
                "rect", x=frame.left, y=top, width=frame.plot_right - frame.left, height=height, class_="ceiling-band"
            )
        )
    parts.append(element("line", x1=frame.left, x2=frame.plot_right, y1=y, y2=y, class_="ceiling"))
    parts.append(
        element(
            "text",
            f"{ceiling.label} on {percent(interval.mean)}",
            x=frame.left + 8,
            y=y - 7 if y > frame.top + 16 else y + 16,
            class_="tick ceiling-name",
        )
    )
    hit = element(
        "rect",
        element("title", f"{ceiling.label} on {with_interval(interval)}"),
        x=frame.left,
        y=y - 6,
        width=frame.plot_right - frame.left,
        height=12.0,
        class_="hit",
    )
    return element("g", *parts, hit)


def _band(line: Line, across: Scale, up: Scale) -> Markup:
    ends = [
        (across(budget), up(found.low), up(found.high))
        for budget, found in zip(line.budgets, line.intervals, strict=True)
        if found.low is not None and found.high is not None
    ]
    if len(ends) < 2:
        return Markup("")
    outline = [(x, high) for x, _, high in ends] + [(x, low) for x, low, _ in reversed(ends)]
    return element("polygon", points=_corners(outline), class_=f"band {colour_class(line.colour)}")


def _path(line: Line, across: Scale, up: Scale) -> Markup:
    corners = [(across(budget), up(found.mean)) for budget, found in zip(line.budgets, line.intervals, strict=True)]
    return element("polyline", points=_corners(corners), class_=f"line {colour_class(line.colour)}")


def _level_line(line: Line, across: Scale, up: Scale, frame: Frame) -> Markup:
    """Draw the one figure of a series as a level line from the axis to where it was measured."""
    y = up(line.intervals[-1].mean)
    return element(
        "line", x1=frame.left, x2=across(line.budgets[-1]), y1=y, y2=y, class_=f"line flat {colour_class(line.colour)}"
    )


def _points(line: Line, across: Scale, up: Scale, drawn: _Drawn) -> Markup:
    parts = []
    for budget, found in _spaced(line, across, drawn.onward.spacing):
        x, y = across(budget), up(found.mean)
        if found.low is not None and found.high is not None:
            parts.append(_whisker(x, found.low, found.high, up, line.colour))
        parts += [
            marker(line.colour, x, y),
            element("circle", element("title", drawn.words(line, budget, found)), cx=x, cy=y, r=12.0, class_="hit"),
        ]
    return element("g", *parts)


def _spaced(line: Line, across: Scale, spacing: float) -> list[tuple[int, Interval]]:
    """Return the points that get a mark: all, or every few back from the last where they stand close."""
    points = list(zip(line.budgets, line.intervals, strict=True))
    width = across(points[-1][0]) - across(points[0][0])
    every = max(1, math.ceil(spacing * (len(points) - 1) / width)) if width else 1
    return points[::-1][::every][::-1]


def _whisker(x: float, low: float, high: float, up: Scale, colour: int) -> Markup:
    """Draw an interval; an end that lies off the axis gets no cap."""
    path = f"M{number(x)} {number(up(low))}V{number(up(high))}"
    for end in (low, high):
        if up.low <= end <= up.high:
            path += f"M{number(x - 3.5)} {number(up(end))}h7"
    return element("path", d=path, class_=f"whisker {colour_class(colour)}")


def _corners(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{number(x)},{number(y)}" for x, y in points)


def range_chart(about: str, groups: Sequence[tuple[str, Sequence[Row]]], budgets: Sequence[int]) -> Markup:
    """Draw queries needed with their intervals: a row for each series within each group, wide and narrow."""
    return Markup("").join(_ranges(about, groups, budgets, frame, css) for frame, css in _VARIANTS)


_ROW = 36.0
_HEAD = 30.0


def _ranges(
    about: str, groups: Sequence[tuple[str, Sequence[Row]]], budgets: Sequence[int], frame: Frame, css: str
) -> Markup:
    height = 8 + sum(_HEAD + _ROW * len(rows) for _, rows in groups) + frame.bottom
    frame = Frame(frame.width, height, 12, 30, 8, frame.bottom, frame.ticks)
    across = query_scale(budgets, frame.left, frame.plot_right, about=frame.ticks)
    y = frame.top
    parts = [
        element("line", x1=across(tick), x2=across(tick), y1=y, y2=frame.plot_bottom, class_="grid")
        for tick in across.ticks
    ]
    parts.append(onward_axis(QUERIES, across, frame))
    for head, rows in groups:
        parts.append(element("text", head, x=frame.left, y=y + 19, class_="group"))
        y += _HEAD
        for row in rows:
            parts.append(_range(row, across, frame, y))
            y += _ROW
    return _svg(about, frame.width, height, css, parts)


def _range(row: Row, across: Scale, frame: Frame, top: float) -> Markup:
    needed, y = row.needed, top + 23
    words = f"{row.name}: {needed_words(needed)}"
    tone = colour_class(row.colour)
    parts = [element("text", row.name, x=frame.left, y=top + 12, class_="tick")]
    if needed.queries is None:
        parts.append(_bar(across(needed.low if needed.low else needed.largest), frame.plot_right + 12, y, tone))
        parts.append(_arrow(frame.plot_right + 20, y, tone))
    else:
        if needed.low is not None:
            end = frame.plot_right + 12 if needed.high is None else across(needed.high)
            parts.append(_bar(across(needed.low), end, y, tone))
        if needed.low is not None and needed.high is None:
            parts.append(_arrow(frame.plot_right + 20, y, tone))
        parts.append(marker(row.colour, across(needed.queries), y))
    parts.append(
        element(
            "rect",
            element("title", words),
            x=frame.left,
            y=top,
            width=frame.width - frame.left,
            height=_ROW,
            class_="hit",
        )
    )
    return element("g", *parts)


def _bar(start: float, stop: float, y: float, tone: str) -> Markup:
    return element("line", x1=start, x2=stop, y1=y, y2=y, class_=f"bar {tone}")


def _arrow(x: float, y: float, tone: str) -> Markup:
    return element("path", d=f"M{number(x)} {number(y)}l-9 -5v10z", class_=f"mark {tone}")
