"""Numbers and verdicts of a reproduction as a reader sees them."""

from __future__ import annotations

from collections.abc import Sequence

from copycost.measures import Interval
from copycost.reproduce._curves import Curve, Listing
from copycost.reproduce._measured import Measured, scaled
from copycost.reproduce._slots import Slot

__all__ = [
    "ELSEWHERE",
    "NOTHING",
    "UNITS",
    "curve_lines",
    "figure",
    "interval_words",
    "listed",
    "measured_note",
    "signed",
    "why_missing",
]

_DIGITS = {"percent": 2, "count": 0, "ratio": 2, "nats": 3, "seconds": 4}
UNITS = {"percent": "in per cent", "count": "", "ratio": "", "nats": "in nats", "seconds": "in seconds"}
ELSEWHERE = "not at this scale"
NOTHING = "–"
_MINUS = "\u2212"
_MOST_INTERVALS = 6


def figure(value: float, unit: str, digits: int = 0) -> str:
    """Return a value of a record as the table shows it, with ``digits`` after the point or those of its unit, if more.

    Examples
    --------
    >>> figure(0.95804, "percent"), figure(14748170, "count"), figure(0.4375, "ratio", 3)
    ('95.80', '14,748,170', '0.438')
    """
    return f"{scaled(value, unit):,.{max(digits, _DIGITS[unit])}f}".replace("-", _MINUS)


def signed(value: float, unit: str) -> str:
    """Return a difference with its sign.

    Examples
    --------
    >>> signed(0.0123, "percent")
    '+1.23'
    """
    text = figure(value, unit)
    return text if text.startswith(_MINUS) or value == 0 else f"+{text}"


def interval_words(interval: Interval, unit: str, digits: int = 0, *, sign: bool = False) -> str:
    """Return the ends of an interval, or nothing where one seed gave none."""
    if interval.low is None or interval.high is None:
        return ""
    low, high = (signed(end, unit) if sign else figure(end, unit, digits) for end in (interval.low, interval.high))
    return f"{low} to {high}"


def measured_note(slot: Slot, measured: Measured, unit: str) -> str:
    """Return what stands below a measured number: its interval, how many seeds, and which strategy was picked."""
    if measured.interval is None or slot.builds:
        return ""
    parts = []
    if slot.statistic == "mean":
        parts.append(interval_words(measured.interval, unit, slot.digits) or "no interval")
    seeds = len(measured.seeds)
    words = f"{seeds} {'seed' if seeds == 1 else 'seeds'}"
    parts.append(words if seeds == measured.expected else f"{words} of {measured.expected}")
    if len(slot.choices) > 1 and measured.choice is not None:
        parts.append(f"{measured.choice.strategy}, best of {measured.best_of}")
    return "; ".join(parts)


def why_missing(slot: Slot, measured: Measured) -> str:
    """Return why nothing was measured."""
    if measured.interval is not None:
        return ""
    if measured.expected:
        return "no value" if measured.undefined else "not yet measured"
    return "quoted" if slot.quoted else ELSEWHERE


def curve_lines(curves: Sequence[Curve]) -> list[tuple[str, str, str, str, str]]:
    """Return a line for each round: name, queries charged, agreement, the ends of its interval, and seeds."""
    return [
        (
            curve.name,
            f"{queries:,}",
            figure(interval.mean, "percent"),
            interval_words(interval, "percent") or NOTHING,
            str(interval.n),
        )
        for curve in curves
        for queries, interval in zip(curve.queries, curve.intervals, strict=True)
    ]


def listed(found: Listing, unit: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return each line of a listing: its label, and for each column a number and the ends of its interval.

    A wide one, such as a confusion matrix, goes without the ends.
    """
    narrow = len(found.columns) <= _MOST_INTERVALS
    lines = []
    for number, label in enumerate(found.labels):
        cells = []
        for _, intervals in found.columns:
            one = intervals[number] if number < len(intervals) else None
            ends = interval_words(one, unit) if one is not None and narrow else ""
            cells.append((NOTHING if one is None else figure(one.mean, unit), ends))
        lines.append((label, cells))
    return lines
