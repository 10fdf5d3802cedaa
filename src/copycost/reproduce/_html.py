"""A reproduction as one HTML page that loads nothing and runs nothing."""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from importlib import resources

import jinja2
from markupsafe import Markup

from copycost.report._marks import dot_swatch, swatch
from copycost.report._text import count
from copycost.reproduce._drawings import drawing_of
from copycost.reproduce._sentences import (
    against_lines,
    against_summary,
    asks_about_random,
    dash_key,
    footnotes,
    lede,
    order_lines,
    ratio_lines,
    ratio_title,
)
from copycost.reproduce._view import View
from copycost.reproduce._words import ELSEWHERE, NOTHING, UNITS, curve_lines, listed

__all__ = ["html"]

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_STYLE = """
.pair td { vertical-align: top; }
.printed th, .printed td { border-bottom: 0; color: var(--soft); padding-bottom: 0; }
.printed th[rowspan] { border-bottom: 1px solid var(--rule); color: var(--ink); }
.pair tbody th:first-child { min-width: 5.2rem; }
sup { line-height: 0; }
td.outside { font-weight: 650; }
td.outside small { font-weight: 400; }
.pair td small { min-width: 6.5rem; max-width: 11rem; }
.single .mark { fill: var(--paper); stroke: currentColor; stroke-width: 1.6; }
.numbers { margin-top: .6rem; }
.numbers .data { margin-top: 0; }
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
            ratio_title=ratio_title(view.ratios),
            against_summary=against_summary(view) if asks_about_random(view) else "",
            against=against_lines(view),
            orders=order_lines(view.orders),
            footnotes=footnotes(view),
            heading=_heading(view),
            dash_key=dash_key(view),
            drawings={one.title: drawing_of(one, view.table.unit) for one in view.shown},
            lists={one.title: listed(one.listing, view.table.unit) for one in view.shown if one.listing is not None},
            rounds={one.title: curve_lines(one.curves) for one in view.shown},
        )
    )
    return _CONTROL.sub("\ufffd", page)


def _heading(view: View) -> str:
    """Return what stands above the panels: nothing where none is shown."""
    printed = any(panel.has_printed for panel in view.shown)
    measured = any(not panel.absence for panel in view.shown)
    if printed:
        return "Published and measured" if measured else "Published"
    if measured:
        return "The data" if all(panel.shows_data for panel in view.shown) else "Measured"
    return ""


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=jinja2.FunctionLoader(_text),
    )
    environment.globals |= {"swatch": swatch, "dot_swatch": dot_swatch, "NOTHING": NOTHING, "ELSEWHERE": ELSEWHERE}
    environment.filters["count"] = count
    return environment


def _text(name: str, package: str = "copycost.reproduce") -> str:
    return resources.files(package).joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
