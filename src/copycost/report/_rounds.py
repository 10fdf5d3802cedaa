"""Agreement round by round: the chart, its table, and whether more rounds helped (ActiveThief, Figures 5 and 7)."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from copycost.measures import Interval, difference_supported, paired_interval, student_interval
from copycost.report._charts import Line, line_chart, shared_scale
from copycost.report._figures import Figures, Series
from copycost.report._tables import NOTHING, Cell, Table, share_cell
from copycost.report._text import NBSP, between, count, percent, points, signed_points

__all__ = ["Course", "course_of", "courses", "round_charts", "rounds_meaning", "rounds_table"]


@dataclass(frozen=True)
class Course:
    """What the rounds of one series at the largest budget gave: queries charged by then, and agreement over seeds."""

    series: Series
    charged: tuple[int, ...]
    agreement: tuple[Interval, ...]


def course_of(figures: Figures, series: Series) -> Course | None:
    """Return the rounds of a series, or None where it asked everything at once or its records tell no rounds."""
    by_seed = [cell["result"].get("rounds") or [] for cell in figures.cells(series, figures.largest)]
    rounds = list(zip(*by_seed, strict=False))
    if len(rounds) < 2:
        return None
    return Course(
        series,
        tuple(round(sum(one["charged"] for one in found) / len(found)) for found in rounds),
        tuple(student_interval([one["measures"]["agreement"] for one in found]) for found in rounds),
    )


def courses(figures: Figures) -> list[Course]:
    """Return the rounds of every series that has several."""
    return [found for series in figures.series if (found := course_of(figures, series)) is not None]


def round_charts(figures: Figures) -> list[tuple[str, Markup]]:
    """Return a chart for each kind of answer: rounds as lines, who asks everything at once as a level line."""
    found = {course.series: course for course in courses(figures)}
    if not found:
        return []
    lines = {
        series: Line(series.strategy, series.colour, found[series].charged, found[series].agreement)
        if series in found
        else Line(series.strategy, series.colour, (figures.largest,), (_final(figures, series),))
        for series in figures.series
    }
    values = shared_scale(list(lines.values()))
    charts = []
    for answers in figures.spec.answers:
        moving = [line for series, line in lines.items() if series.answers == answers and series in found]
        level = [line for series, line in lines.items() if series.answers == answers and series not in found]
        charts.append((answers, line_chart(_about(answers, moving, level), moving, values=values, flat=level)))
    return charts


def _final(figures: Figures, series: Series) -> Interval:
    found = figures.interval(series, figures.largest, lambda measured: float(measured["agreement"]))
    assert found is not None
    return found


def _about(answers: str, moving: list[Line], level: list[Line]) -> str:
    parts = [
        f"{line.name} from {percent(line.intervals[0].mean)} at {count(line.budgets[0])} queries to "
        f"{percent(line.intervals[-1].mean)} at {count(line.budgets[-1])}"
        for line in moving
    ]
    parts += [f"{line.name}, which asks everything at once, {percent(line.intervals[-1].mean)}" for line in level]
    return (
        f"Line chart. Agreement with the target after each round, answers {answers}: {'; '.join(parts)}. The table "
        "below holds every figure."
    )


def rounds_table(figures: Figures) -> Table:
    """Return agreement by queries charged; who asks everything at once has a figure at the end alone."""
    columns: list[dict[int, Interval]] = []
    for series in figures.series:
        course = course_of(figures, series)
        ends = {figures.largest: _final(figures, series)}
        columns.append(ends if course is None else dict(zip(course.charged, course.agreement, strict=True)))
    rows = tuple(
        (
            Cell(count(charged)),
            *(share_cell(found[charged]) if charged in found else Cell(NOTHING, tone="none") for found in columns),
        )
        for charged in sorted({charged for found in columns for charged in found})
    )
    interval = f", with its 95{NBSP}% interval" if figures.spec.seeds > 1 else " (one seed, so no interval)"
    caption = f"Agreement round by round in per cent, at a budget of {count(figures.largest)} queries: mean over seeds"
    return Table(caption + interval, ("queries so far", *(series.name for series in figures.series)), rows)


def rounds_meaning(figures: Figures) -> list[str]:
    """Say of each strategy that asks in rounds whether the later ones helped, as a paired interval supports."""
    found = courses(figures)
    sentences = [_verdict(course) for course in found]
    if sentences:
        sentences.append(
            "More rounds are more queries too: what looking at the copy adds shows in the comparison with a random "
            "choice of as many."
        )
    return sentences


def _verdict(course: Course) -> str:
    name, first, last = course.series.name, course.agreement[0], course.agreement[-1]
    change = paired_interval(last.values, first.values)
    span = f"from {count(course.charged[0])} to {count(course.charged[-1])} queries"
    if change.low is None or change.high is None:
        return f"With one seed it cannot be claimed that more rounds helped {name}."
    ends = between(signed_points(change.low), signed_points(change.high))
    if not difference_supported(change):
        return (
            f"That more rounds helped {name} is not supported: {span} its agreement changed by "
            f"{signed_points(change.mean)} points, seed by seed, and the paired 95{NBSP}% interval ({ends}) holds zero."
        )
    verb, moved = ("helped", "rose") if change.mean > 0 else ("harmed", "fell")
    return (
        f"More rounds {verb} {name}: {span} its agreement {moved} by {points(change.mean)} points, seed by seed "
        f"(paired 95{NBSP}% interval {ends})."
    )
