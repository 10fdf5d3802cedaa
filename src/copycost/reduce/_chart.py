"""The curve of a reduction as a small picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from copycost.measures import Interval
from copycost.reduce._curve import Point

__all__ = ["draw_curve"]

_WIDTH, _HEIGHT, _LEFT, _TOP, _RIGHT, _BOTTOM = 640, 300, 60, 34, 96, 44
_COLOURS = ("#0b62a4", "#8a8a8a")


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
    low, high = max(0.0, min(ends)), min(1.0, max(ends))
    low, high = (low, high) if high - low > 1e-9 else (low - 0.005, high + 0.005)
    largest = max(point.size for point in points)

    def across(size: int) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * size / largest

    def up(value: float) -> float:
        inside = min(max(value, low), high)
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - (inside - low) / (high - low))

    words = {"coverage": "Mean similarity to the nearest image chosen", "accuracy": "Accuracy after training on it"}
    parts = [f'<text x="{_LEFT}" y="20" font-weight="bold">{words[measure]}</text>']
    parts += [
        f'<path d="M{_LEFT} {up(tick):.1f}H{_WIDTH - _RIGHT}" stroke="#ddd"/>'
        f'<text x="{_LEFT - 6}" y="{up(tick) + 4:.1f}" text-anchor="end">{100 * tick:.1f} %</text>'
        for tick in np.linspace(low, high, 5).tolist()
    ]
    parts += [
        f'<text x="{across(size):.1f}" y="{_HEIGHT - 24}" text-anchor="middle">{size}</text>'
        for size in sorted({point.size for point in points})
    ]
    parts.append(f'<text x="{(_LEFT + _WIDTH - _RIGHT) / 2}" y="{_HEIGHT - 8}" text-anchor="middle">images</text>')
    for colour, strategy in zip(_COLOURS, dict.fromkeys(point.strategy for point in points), strict=False):
        own = [(point.size, getattr(point, measure)) for point in points if point.strategy == strategy]
        parts.append(_line(strategy, colour, [(across(size), interval) for size, interval in own], up))
    return "".join(parts)


def _line(strategy: str, colour: str, places: list[tuple[float, Interval]], up: Callable[[float], float]) -> str:
    line = "L".join(f"{x:.1f} {up(interval.mean):.1f}" for x, interval in places)
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{up(interval.mean):.1f}" r="3" fill="{colour}"/>' for x, interval in places
    )
    bars = "".join(
        f'<path d="M{x:.1f} {up(interval.low):.1f}V{up(interval.high):.1f}" stroke="{colour}" opacity="0.5"/>'
        for x, interval in places
        if interval.low is not None and interval.high is not None
    )
    x, last = places[-1]
    name = f'<text x="{x + 8:.1f}" y="{up(last.mean) + 4:.1f}" fill="{colour}">{strategy}</text>'
    return f'<path d="M{line}" fill="none" stroke="{colour}" stroke-width="2"/>{bars}{dots}{name}'
