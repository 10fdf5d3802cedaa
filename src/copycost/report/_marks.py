"""Marker shapes, so that no line is told by its colour alone."""

from __future__ import annotations

from markupsafe import Markup

from copycost.report._svg import element, number

__all__ = ["COLOURS", "colour_class", "marker", "swatch"]

COLOURS = 7
_SHAPES = (
    ((0, -5.2), (5.2, 0), (0, 5.2), (-5.2, 0)),
    ((0, -5.4), (5, 3.6), (-5, 3.6)),
    ((-4.2, -4.2), (4.2, -4.2), (4.2, 4.2), (-4.2, 4.2)),
    ((0, 5.4), (-5, -3.6), (5, -3.6)),
    (
        (-1.7, -5),
        (1.7, -5),
        (1.7, -1.7),
        (5, -1.7),
        (5, 1.7),
        (1.7, 1.7),
        (1.7, 5),
        (-1.7, 5),
        (-1.7, 1.7),
        (-5, 1.7),
        (-5, -1.7),
        (-1.7, -1.7),
    ),
)


def colour_class(index: int) -> str:
    """Return the class that gives the elements of a series their colour."""
    return f"c{index % COLOURS}"


def marker(index: int, x: float, y: float) -> Markup:
    """Return the marker of the series ``index``: six shapes and seven colours make 42 pairs."""
    shape = index % (len(_SHAPES) + 1)
    css = f"mark {colour_class(index)}"
    if shape == 0:
        return element("circle", cx=x, cy=y, r=4.4, class_=css)
    corners = " ".join(f"{number(x + dx)},{number(y + dy)}" for dx, dy in _SHAPES[shape - 1])
    return element("polygon", points=corners, class_=css)


def swatch(index: int) -> Markup:
    """Return the marker on a piece of its line, for a legend."""
    line = element("line", x1=1.0, y1=7.0, x2=27.0, y2=7.0, class_=f"line {colour_class(index)}")
    return element(
        "svg",
        line,
        marker(index, 14.0, 7.0),
        class_="swatch",
        viewBox="0 0 28 14",
        width=28.0,
        height=14.0,
        aria_hidden="true",
    )
