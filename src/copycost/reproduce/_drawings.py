"""Charts of a figure's panels: by round, budget, share or epoch, drawn as those of a report are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from copycost.measures import Interval
from copycost.report._axes import EPOCHS, QUERIES, SHARE, Onward, Upward, amount_scale
from copycost.report._charts import Line, line_chart, shared_scale
from copycost.report._scales import share_scale
from copycost.report._text import NBSP
from copycost.reproduce._curves import Curve, Listing
from copycost.reproduce._view import PanelView
from copycost.reproduce._words import figure, interval_words, why_missing

__all__ = ["Drawing", "drawing_of"]

_UNITS = {"percent": "%", "count": "", "ratio": "", "nats": "nats", "seconds": "s"}
_OFF_DIAGONAL = "off-diagonal "
_COMPLEMENT = "1 - "


@dataclass(frozen=True)
class Drawing:
    """A chart, the names of its series with their places among the marks, and what stands below it."""

    chart: Markup
    legend: tuple[tuple[str, int], ...]
    caption: str


@dataclass(frozen=True)
class _Course:
    """What a panel shows along an axis: the series that move, those that stay level, and published numbers."""

    along: str
    onward: Onward
    quantity: str
    moving: Sequence[Line]
    level: Sequence[Line] = ()
    printed: Sequence[Line] = ()

    @property
    def lines(self) -> list[Line]:
        """All that was measured, in the order of the legend."""
        return sorted((*self.moving, *self.level), key=lambda line: line.colour)


def drawing_of(panel: PanelView, unit: str) -> Drawing | None:
    """Return the chart of a panel by round, budget, share or epoch; None for others, and where nothing is measured."""
    course = _course(panel)
    if course is None:
        return None
    unit = "percent" if panel.curves else unit  # rounds are of agreement, whatever else the figure shows
    up = _upward(course.quantity, unit)
    chart = line_chart(
        f"{panel.title}: {course.quantity} {course.along}",
        course.moving,
        flat=course.level,
        single=course.printed,
        values=_held(course, unit),
        up=up,
        onward=course.onward,
        description=_description(course, up),
    )
    return Drawing(chart, tuple((line.name, line.colour) for line in course.lines), _caption(panel, course))


def _course(panel: PanelView) -> _Course | None:
    places = {row: place for place, (row, _) in enumerate(panel.rows)}
    if panel.curves:
        level, moving = ([one for one in panel.curves if one.flat == flat] for flat in (True, False))
        along = "after each round against the queries charged, those that validate included"
        return _Course(along, QUERIES, "agreement", _lines(moving, places), _lines(level, places))
    quantity = ", ".join(dict.fromkeys(_quantity(cell.slot.measure) for _, cells in panel.rows for cell in cells))
    if panel.by_column:
        measured, printed = _lines(panel.by_column, places), _lines(panel.printed_by_column, places, ", published")
        along = "by the number of queries" if panel.shares_of is None else f"by the share of {panel.shares_of}"
        return _Course(along, QUERIES if panel.shares_of is None else SHARE, quantity, measured, printed=printed)
    if panel.chart == "epochs" and panel.listing is not None:
        return _Course("by epoch", EPOCHS, quantity, _epochs(panel.listing, places))
    return None


def _lines(curves: Sequence[Curve], places: dict[str, int], note: str = "") -> list[Line]:
    return [Line(one.name + note, places[one.name], one.queries, one.intervals) for one in curves]


def _epochs(found: Listing, places: dict[str, int]) -> list[Line]:
    return [
        Line(name, places[name], tuple(range(1, len(intervals) + 1)), intervals) for name, intervals in found.columns
    ]


def _quantity(measure: str) -> str:
    """Return what a measure is called on an axis.

    Examples
    --------
    >>> _quantity("target.training.*.watched_accuracy"), _quantity("1 - measures.agreement")
    ('accuracy', '1 − agreement')
    """
    if measure.startswith(_OFF_DIAGONAL):
        return "share of other labels"
    name = measure.rpartition(".")[2].removeprefix("watched_").replace("_", " ")
    return f"1 − {name}" if measure.startswith(_COMPLEMENT) else name


def _upward(quantity: str, unit: str) -> Upward:
    sign = _UNITS[unit]
    name = f"{quantity} ({sign})" if sign else quantity

    def words(interval: Interval) -> str:
        text = f"{figure(interval.mean, unit)} {sign}".rstrip()
        ends = interval_words(interval, unit)
        return f"{text} (95{NBSP}% interval {ends})" if ends else text

    if unit == "percent":
        return Upward(name, share_scale, lambda value: f"{round(100 * value, 6):g}", words)
    return Upward(name, amount_scale, lambda value: f"{value:,.10g}".replace("-", "−"), words)


def _held(course: _Course, unit: str) -> list[float]:
    """Return what the vertical axis holds; that of amounts does not go below 0 for the end of an interval."""
    printed = [one.mean for line in course.printed for one in line.intervals]
    if unit == "percent":
        return shared_scale(course.lines, *printed)
    means = [*printed, *(one.mean for line in course.lines for one in line.intervals)]
    held = shared_scale(course.lines, *printed, room=max(map(abs, means)) / 2)
    return [max(value, 0.0) for value in held] if min(means) >= 0 else held


def _description(course: _Course, up: Upward) -> str:
    parts = []
    for line in course.lines:
        last = f"{up.words(line.intervals[-1])} at {course.onward.words(line.budgets[-1])}"
        first = f"from {up.words(line.intervals[0])} at {course.onward.words(line.budgets[0])} to "
        parts.append(f"{line.name} {first if len(line.budgets) > 1 else ''}{last}")
    return f"Line chart. {'; '.join(parts)}. The table below holds every number."


def _caption(panel: PanelView, course: _Course) -> str:
    one_seed = all(one.low is None for line in course.lines for one in line.intervals)
    how = "one seed, so no interval" if one_seed else f"mean over seeds with its 95{NBSP}% interval"
    parts = [f"{course.quantity[0].upper()}{course.quantity[1:]} {course.along}: {how}."]
    if course.level:
        parts.append("A dashed level is what was asked at once.")
    if course.printed:
        parts.append("Hollow marks are the published numbers.")
    drawn = {line.name for line in course.lines}
    missing = [f"{row} ({why_missing(cells[0].slot, cells[0].found)})" for row, cells in panel.rows if row not in drawn]
    return " ".join([*parts, f"Without a line: {', '.join(missing)}."] if missing else parts)
