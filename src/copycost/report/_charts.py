"""The two kinds of chart of the page, as inline SVG: shares against queries, and queries needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from copycost.measures import Interval, QueriesNeeded
from copycost.report._marks import colour_class, marker
from copycost.report._scales import Scale, query_scale, share_scale
from copycost.report._svg import element, number
from copycost.report._text import count, level, needed_words, percent, with_interval

__all__ = ["Line", "Reference", "Row", "line_chart", "range_chart", "shared_scale"]


@dataclass(frozen=True)
class Line:
    """A series of shares: its name, its place among the colours, and an interval for each budget."""

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


@dataclass(frozen=True)
class _Frame:
    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    ticks: int

    @property
    def plot_right(self) -> float:
        return self.width - self.right

    @property
    def plot_bottom(self) -> float:
        return self.height - self.bottom


_WIDE = _Frame(900, 420, 58, 46, 16, 48, 7)
_NARROW = _Frame(358, 300, 46, 40, 14, 44, 4)


def line_chart(
    about: str,
    lines: Sequence[Line],
    *,
    values: Sequence[float],
    levels: Sequence[float] = (),
    ceiling: Reference | None = None,
    flat: Sequence[Line] = (),
) -> Markup:
    """Draw shares against queries, once for wide and once for narrow pages (the style sheet shows one of them).

    Parameters
    ----------
    about : what the chart shows, for those who cannot see it
    lines : at least one
    values : the shares that the vertical axis has to hold, so that charts side by side can share it
    levels : shares marked by a faint line, where the axis holds them
    ceiling : the line to compare with
    flat : series of one figure each, drawn as level lines that end in it
    """
    drawn = _Drawn(lines, flat, values, levels, ceiling)
    return Markup("").join(_lines(about, drawn, frame, css) for frame, css in _VARIANTS)


@dataclass(frozen=True)
class _Drawn:
    lines: Sequence[Line]
    flat: Sequence[Line]
    values: Sequence[float]
    levels: Sequence[float]
    ceiling: Reference | None


_ROOM = 0.3
_MOST_BANDS = 3
_DODGE = 5.0
_VARIANTS = ((_WIDE, "chart wide"), (_NARROW, "chart narrow"))


def shared_scale(lines: Sequence[Line], *others: float) -> list[float]:
    """Return the shares that an axis has to hold: every mean, and the ends of intervals unless they lie far off."""
    means = [interval.mean for line in lines for interval in line.intervals]
    room = max(_ROOM, max(means) - min(means))
    ends = [end for line in lines for one in line.intervals for end in (one.low, one.high) if end is not None]
    return [*others, *means, *(min(max(end, min(means) - room), max(means) + room) for end in ends)]


def _lines(about: str, drawn: _Drawn, frame: _Frame, css: str) -> Markup:
    lines = [*drawn.lines, *drawn.flat]
    budgets = [budget for line in lines for budget in line.budgets]
    across = query_scale(budgets, frame.left, frame.plot_right, about=frame.ticks)
    up = share_scale(drawn.values, frame.plot_bottom, frame.top)
    parts = [_shares_axis(up, frame), _queries_axis(across, frame), *_levels(drawn.levels, up, frame)]
    if drawn.ceiling is not None:
        parts.append(_ceiling(drawn.ceiling, up, frame))
    beside = [across.moved(_DODGE * (index - (len(lines) - 1) / 2)) for index in range(len(lines))]
    placed = list(zip(lines, beside, strict=True))
    if len(lines) <= _MOST_BANDS:
        parts += [_band(line, own, up) for line, own in placed]
    parts += [_path(line, own, up) for line, own in placed[: len(drawn.lines)]]
    parts += [_level_line(line, own, up, frame) for line, own in placed[len(drawn.lines) :]]
    parts += [_points(line, own, up) for line, own in placed]
    return _svg(about, frame.width, frame.height, css, parts)


def _svg(about: str, width: float, height: float, css: str, parts: Sequence[Markup]) -> Markup:
    return element(
        "svg", *parts, class_=css, viewBox=f"0 0 {number(width)} {number(height)}", role="img", aria_label=about
    )


def _shares_axis(up: Scale, frame: _Frame) -> Markup:
    parts = []
    for tick in up.ticks:
        y = up(tick)
        parts.append(element("line", x1=frame.left, x2=frame.plot_right, y1=y, y2=y, class_="grid"))
        parts.append(element("text", level(tick), x=frame.left - 8, y=y + 4, class_="tick end"))
    return element("g", *parts)


def _queries_axis(across: Scale, frame: _Frame) -> Markup:
    base = frame.plot_bottom
    parts = [element("line", x1=frame.left, x2=frame.plot_right, y1=base, y2=base, class_="axis")]
    for tick in across.ticks:
        x = across(tick)
        parts.append(element("line", x1=x, x2=x, y1=base, y2=base + 5, class_="axis"))
        parts.append(element("text", count(tick), x=x, y=base + 19, class_="tick middle"))
    words = "queries (logarithmic)" if across.logarithmic else "queries"
    middle = (frame.left + frame.plot_right) / 2
    parts.append(element("text", words, x=middle, y=base + 38, class_="tick middle name"))
    return element("g", *parts)


def _levels(levels: Sequence[float], up: Scale, frame: _Frame) -> list[Markup]:
    parts = []
    for value in levels:
        if up.low <= value <= up.high:
            y = up(value)
            line = element("line", x1=frame.left, x2=frame.plot_right, y1=y, y2=y, class_="level")
            name = element("text", level(value), x=frame.plot_right + 6, y=y + 4, class_="tick")
            parts.append(line if any(abs(value - tick) < 1e-9 for tick in up.ticks) else element("g", line, name))
    return parts


def _ceiling(ceiling: Reference, up: Scale, frame: _Frame) -> Markup:
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


def _level_line(line: Line, across: Scale, up: Scale, frame: _Frame) -> Markup:
    """Draw the one figure of a series as a level line from the axis to where it was measured."""
    y = up(line.intervals[-1].mean)
    return element(
        "line", x1=frame.left, x2=across(line.budgets[-1]), y1=y, y2=y, class_=f"line flat {colour_class(line.colour)}"
    )


def _points(line: Line, across: Scale, up: Scale) -> Markup:
    parts = []
    for budget, found in zip(line.budgets, line.intervals, strict=True):
        x, y = across(budget), up(found.mean)
        if found.low is not None and found.high is not None:
            parts.append(_whisker(x, found.low, found.high, up, line.colour))
        words = f"{line.name}, {count(budget)} queries: {with_interval(found)}"
        parts += [
            marker(line.colour, x, y),
            element("circle", element("title", words), cx=x, cy=y, r=12.0, class_="hit"),
        ]
    return element("g", *parts)


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
    about: str, groups: Sequence[tuple[str, Sequence[Row]]], budgets: Sequence[int], frame: _Frame, css: str
) -> Markup:
    height = 8 + sum(_HEAD + _ROW * len(rows) for _, rows in groups) + frame.bottom
    frame = _Frame(frame.width, height, 12, 30, 8, frame.bottom, frame.ticks)
    across = query_scale(budgets, frame.left, frame.plot_right, about=frame.ticks)
    y = frame.top
    parts = [
        element("line", x1=across(tick), x2=across(tick), y1=y, y2=frame.plot_bottom, class_="grid")
        for tick in across.ticks
    ]
    parts.append(_queries_axis(across, frame))
    for head, rows in groups:
        parts.append(element("text", head, x=frame.left, y=y + 19, class_="group"))
        y += _HEAD
        for row in rows:
            parts.append(_range(row, across, frame, y))
            y += _ROW
    return _svg(about, frame.width, height, css, parts)


def _range(row: Row, across: Scale, frame: _Frame, top: float) -> Markup:
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
