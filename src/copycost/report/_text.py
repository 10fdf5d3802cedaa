"""Numbers as a reader sees them."""

from __future__ import annotations

from collections.abc import Sequence

from copycost.measures import Interval, QueriesNeeded

__all__ = [
    "MINUS",
    "NBSP",
    "between",
    "count",
    "ends",
    "joined",
    "level",
    "needed_words",
    "percent",
    "plural",
    "points",
    "seconds",
    "share",
    "signed_points",
    "small",
    "spread",
    "with_interval",
]

NBSP = "\u00a0"
MINUS = "\u2212"


def percent(value: float, digits: int = 1) -> str:
    """Return a share as a percentage.

    Examples
    --------
    >>> percent(0.9356).replace(NBSP, " ")
    '93.6 %'
    """
    return f"{_number(100 * value, digits)}{NBSP}%"


def share(value: float, digits: int = 1) -> str:
    """Return a share as a percentage without its sign, for a table whose head carries it."""
    return _number(100 * value, digits)


def level(value: float) -> str:
    """Return a level of agreement, with no more digits than it needs."""
    return f"{round(100 * value, 6):g}{NBSP}%"


def ends(interval: Interval, *, scale: float = 100, digits: int = 1) -> str:
    """Return the ends of an interval, or nothing where one seed gave none."""
    if interval.low is None or interval.high is None:
        return ""
    return between(_number(scale * interval.low, digits), _number(scale * interval.high, digits))


def between(low: str, high: str) -> str:
    """Return two ends that stay on one line."""
    return f"{low}{NBSP}to{NBSP}{high}"


def with_interval(interval: Interval) -> str:
    """Return a mean share with its interval in words."""
    found = ends(interval)
    return (
        f"{percent(interval.mean)} (95{NBSP}% interval {found})"
        if found
        else f"{percent(interval.mean)} (one seed, no interval)"
    )


def points(value: float) -> str:
    """Return the size of a difference of two shares, in percentage points."""
    return _number(abs(100 * value), 1)


def spread(differences: Sequence[float]) -> str:
    """Return the sizes of several differences in percentage points: each of up to three, or their range.

    Examples
    --------
    >>> spread([-0.038, -0.037]), spread([0.01, 0.01])
    ('3.8 and 3.7', '1.0')
    >>> spread([0.01, 0.02, 0.03, 0.04]).replace(NBSP, " ")
    '1.0 to 4.0'
    """
    sizes = list(dict.fromkeys(points(difference) for difference in differences))
    if len(sizes) == 1:
        return sizes[0]
    if len(differences) <= _LISTED:
        return joined([points(difference) for difference in differences])
    return between(points(min(differences, key=abs)), points(max(differences, key=abs)))


_LISTED = 3


def signed_points(value: float) -> str:
    """Return a difference of two shares with its sign, in percentage points.

    Examples
    --------
    >>> signed_points(-0.0376), signed_points(0.02), signed_points(-0.0001)
    ('−3.8', '+2.0', '0.0')
    """
    rounded = round(100 * value, 1)
    return f"+{rounded:.1f}" if rounded > 0 else _number(rounded, 1)


def count(value: float) -> str:
    """Return a whole number with separators."""
    return f"{value:,.0f}"


def plural(number: int, one: str, many: str | None = None) -> str:
    """Return a count with its noun.

    Examples
    --------
    >>> plural(1, "seed"), plural(1200, "query", "queries")
    ('1 seed', '1,200 queries')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


_SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def small(number: int) -> str:
    """Return a count as a word where it is small.

    Examples
    --------
    >>> small(2), small(40)
    ('two', '40')
    """
    return _SMALL[number] if number < len(_SMALL) else f"{number:,}"


def joined(parts: Sequence[str]) -> str:
    """Return a list in words.

    Examples
    --------
    >>> joined(["50", "150", "300"])
    '50, 150 and 300'
    """
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def needed_words(needed: QueriesNeeded) -> str:
    """Return queries needed in words, with a percent sign that stays with its number."""
    return needed.words.replace(" %", f"{NBSP}%")


def seconds(value: float) -> str:
    """Return a length of time."""
    return f"{value / 60:,.0f} minutes" if value >= 120 else f"{value:,.0f} seconds"


def _number(value: float, digits: int) -> str:
    rounded = round(value, digits) or 0.0
    return f"{rounded:,.{digits}f}".replace("-", MINUS)
