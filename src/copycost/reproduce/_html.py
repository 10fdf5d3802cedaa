"""A reproduction as one HTML page that loads nothing and runs nothing."""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from collections.abc import Sequence
from importlib import resources

import jinja2
from markupsafe import Markup

from copycost.report._charts import Line, line_chart, shared_scale
from copycost.report._marks import dot_swatch, swatch
from copycost.report._text import count
from copycost.reproduce._curves import Curve
from copycost.reproduce._sentences import (
    against_lines,
    against_summary,
    asks_about_random,
    footnotes,
    lede,
    order_lines,
    ratio_lines,
)
from copycost.reproduce._view import View
from copycost.reproduce._words import UNITS, listed

__all__ = ["html"]

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_STYLE = """
.pair td { vertical-align: top; }
.printed th, .printed td { border-bottom: 0; color: var(--soft); padding-bottom: 0; }
td.outside { font-weight: 650; }
td.outside::after { content: " \\2260"; }
"""


def html(view: View) -> str:
    """Return the page of a table as HTML."""
    css = _text("page.css", "copycost.report") + _STYLE
    page = (
        _environment()
        .get_template("page.html")
        .render(
            view=view,
            table=view.table,
            css=Markup(css),
            policy=f"default-src 'none'; img-src data:; style-src '{_hash(css)}'; base-uri 'none'; form-action 'none'",
            lede=lede(view),
            unit=UNITS[view.table.unit],
            differs=view.table.differs.get(view.scale, ()),
            ratios=ratio_lines(view.ratios, view.comparable),
            against_summary=against_summary(view) if asks_about_random(view) else "",
            against=against_lines(view),
            orders=order_lines(view.orders),
            footnotes=footnotes(view),
            charts={panel.title: _chart(panel.title, panel.curves) for panel in view.panels if panel.curves},
            lists={one.title: listed(one.listing, view.table.unit) for one in view.panels if one.listing is not None},
        )
    )
    return _CONTROL.sub("\ufffd", page)


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=jinja2.FunctionLoader(_text),
    )
    environment.globals |= {"swatch": swatch, "dot_swatch": dot_swatch}
    environment.filters["count"] = count
    return environment


def _text(name: str, package: str = "copycost.reproduce") -> str:
    return resources.files(package).joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def _chart(title: str, curves: Sequence[Curve]) -> Markup:
    """Draw agreement against queries charged; what was asked at once is a level line."""
    lines = [Line(curve.name, number, curve.queries, curve.intervals) for number, curve in enumerate(curves)]
    level = [line for line, curve in zip(lines, curves, strict=True) if curve.flat]
    moving = [line for line, curve in zip(lines, curves, strict=True) if not curve.flat]
    about = f"{title}: agreement after each round against the queries charged, by strategy"
    return line_chart(about, moving, flat=level, values=shared_scale(lines))
