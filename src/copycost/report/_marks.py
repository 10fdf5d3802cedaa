"""Marker shapes, so that no line is told by its colour alone."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from markupsafe import Markup

from copycost.report._svg import element, number

__all__ = ["COLOURS", "PAIRS", "colour_class", "dot_swatch", "dots", "marker", "swatch"]

COLOURS = 7
PAIRS = 36
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


_SMALL = 0.62
_DISTINCT = 6
_TURNS = (0, 3, 1, 4, 2, 5)


def dots(index: int | None, points: Sequence[tuple[float, float]], words: str) -> Markup:
    """Return one small marker of the class ``index`` at every point, as one path; None is what stands for the rest.

    Colours come round after six classes, each time with another shape and filled or hollow in turn: 36 looks, none of
    which differ by nothing but two blues.
    """
    turn, colour = (0, 0) if index is None else divmod(index % PAIRS, _DISTINCT)
    shape = 0 if index is None else (colour + _TURNS[turn]) % (len(_SHAPES) + 1)
    outline = _CIRCLE if shape == 0 else _relative(_SHAPES[shape - 1])
    places = "".join(f"M{x:.1f} {y:.1f}{outline}" for x, y in points)
    css = "dots rest" if index is None else f"dots {'hollow ' if turn % 2 else ''}{colour_class(colour)}"
    return element("path", element("title", words), d=places, class_=css)


_CIRCLE = "m-2.6 0a2.6 2.6 0 1 0 5.2 0a2.6 2.6 0 1 0-5.2 0"


def _relative(corners: Sequence[tuple[float, float]]) -> str:
    """Return a polygon around a point as moves from corner to corner."""
    ends = [(0.0, 0.0), *((_SMALL * x, _SMALL * y) for x, y in corners)]
    steps = [f"{number(after[0] - before[0])} {number(after[1] - before[1])}" for before, after in pairwise(ends)]
    return f"m{steps[0]}l{' '.join(steps[1:])}z"


def dot_swatch(index: int | None) -> Markup:
    """Return one small marker for a legend."""
    mark = dots(index, [(6.0, 6.0)], "")
    return element("svg", mark, class_="swatch", viewBox="0 0 12 12", width=12.0, height=12.0, aria_hidden="true")


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
