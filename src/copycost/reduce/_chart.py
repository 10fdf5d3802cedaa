"""The curve of a reduction as a small picture."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

from copycost.measures import Interval
from copycost.reduce._curve import Point

__all__ = ["draw_curve"]

_WIDTH, _HEIGHT, _LEFT, _TOP, _RIGHT, _BOTTOM = 640, 300, 60, 34, 96, 44
_COLOURS = ("#0b62a4", "#767676")
_TICK_GAP, _NAME_GAP = 44, 15  # pixels between labels


def draw_curve(path: Path, points: Sequence[Point]) -> None:
    """Write the curve as SVG: accuracy, where it was measured, above the objective of coverage."""
    measured = all(point.accuracy is not None for point in points)
    panels = [_panel(points, "accuracy")] if measured else []
    panels.append(_panel(points, "coverage"))
    path.write_text(_svg(panels), encoding="utf-8")


def _svg(panels: list[str]) -> str:
    height = _HEIGHT * len(panels)
    moved = "".join(f'<g transform="translate(0 {_HEIGHT * row})">{panel}</g>' for row, panel in enumerate(panels))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        f'font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>{moved}</svg>\n'
    )


def _panel(points: Sequence[Point], measure: str) -> str:
    """Return one diagram: a line for each strategy over the sizes, bars for intervals."""
    intervals: list[Interval] = [interval for point in points if (interval := getattr(point, measure)) is not None]
    ends = [value for i in intervals for value in (i.mean, i.low, i.high) if value is not None]
    ticks = _ticks(max(0.0, min(ends)), min(1.0, max(ends)))
    sizes = sorted({point.size for point in points})

    def across(size: int) -> float:
        span = math.log(sizes[-1] / sizes[0])
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * (math.log(size / sizes[0]) / span if span else 0.5)

    def up(value: float) -> float:
        inside = min(max(value, ticks[0]), ticks[-1])
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - (inside - ticks[0]) / (ticks[-1] - ticks[0]))

    words = {"coverage": "Mean similarity to the nearest image chosen", "accuracy": "Accuracy after training on it"}
    parts = [f'<text x="{_LEFT}" y="20" font-weight="bold">{words[measure]}</text>']
    parts += [
        f'<path d="M{_LEFT} {up(tick):.1f}H{_WIDTH - _RIGHT}" stroke="#ddd"/>'
        f'<text x="{_LEFT - 6}" y="{up(tick) + 4:.1f}" text-anchor="end">{100 * tick:.4g} %</text>'
        for tick in ticks
    ]
    parts += [
        f'<text x="{across(size):.1f}" y="{_HEIGHT - 24}" text-anchor="middle">{size:,}</text>'
        for size in _apart(sizes, [across(size) for size in sizes], _TICK_GAP)
    ]
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{_HEIGHT - 8}" text-anchor="middle">images, logarithmic</text>')
    lines = {
        strategy: [(across(point.size), getattr(point, measure)) for point in points if point.strategy == strategy]
        for strategy in dict.fromkeys(point.strategy for point in points)
    }
    heights = _spread([up(places[-1][1].mean) for places in lines.values()], _NAME_GAP)
    for colour, (strategy, places), height in zip(_COLOURS, lines.items(), heights, strict=False):
        parts.append(_line(strategy, colour, places, up, height))
    return "".join(parts)


def _ticks(low: float, high: float) -> list[float]:
    """Return round values from at most ``low`` to at least ``high``, about five of them, within 0 and 1."""
    least = max(high - low, 0.004) / 5
    unit = 10 ** math.floor(math.log10(least))
    step = next(factor * unit for factor in (1, 2, 5, 10) if factor * unit >= least * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    if last <= first:
        first, last = (first, first + 1) if first * step < 1 else (first - 1, first)
    return [round(place * step, 9) for place in range(first, last + 1)]


def _apart(sizes: list[int], places: list[float], gap: float) -> list[int]:
    """Return the sizes whose labels do not run into each other, the largest first among them."""
    kept: list[tuple[int, float]] = []
    for size, place in zip(reversed(sizes), reversed(places), strict=True):
        if not kept or kept[-1][1] - place >= gap:
            kept.append((size, place))
    return [size for size, _ in kept]


def _spread(heights: list[float], gap: float) -> list[float]:
    """Return the heights, those of two that are closer than ``gap`` moved apart in their order."""
    if len(heights) < 2 or abs(heights[0] - heights[1]) >= gap:
        return heights
    middle, sign = (heights[0] + heights[1]) / 2, 1 if heights[0] > heights[1] else -1
    return [middle + sign * gap / 2, middle - sign * gap / 2]


def _line(
    strategy: str, colour: str, places: list[tuple[float, Interval]], up: Callable[[float], float], height: float
) -> str:
    line = "L".join(f"{x:.1f} {up(interval.mean):.1f}" for x, interval in places)
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{up(interval.mean):.1f}" r="3" fill="{colour}"/>' for x, interval in places
    )
    bars = "".join(
        f'<path d="M{x:.1f} {up(interval.low):.1f}V{up(interval.high):.1f}" stroke="{colour}" opacity="0.5"/>'
        for x, interval in places
        if interval.low is not None and interval.high is not None
    )
    name = f'<text x="{places[-1][0] + 8:.1f}" y="{height + 4:.1f}" fill="{colour}">{strategy}</text>'
    return f'<path d="M{line}" fill="none" stroke="{colour}" stroke-width="2"/>{bars}{dots}{name}'
