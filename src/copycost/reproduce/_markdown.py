"""A reproduction as Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence

from copycost.reproduce._curves import Curve, Listing
from copycost.reproduce._explored import Explored
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
from copycost.reproduce._view import CellView, PanelView, View
from copycost.reproduce._words import ELSEWHERE, NOTHING, UNITS, curve_lines, listed

__all__ = ["markdown", "safe"]


def markdown(view: View) -> str:
    """Return the page of a table as Markdown."""
    table = view.table
    parts = [f"# {safe(table.title)}", f"{safe(table.source.paper)}, {safe(_item(view))}.", *map(safe, lede(view))]
    parts += _section("What differs", table.differs.get(view.scale, ()))
    if table.question:
        parts += ["## The question", safe(table.question)]
    keyed = next((panel for panel in view.shown if panel.has_dashes), None)
    for panel in view.shown:
        unit = "" if panel.shows_data else UNITS[table.unit]
        parts.append(f"## {safe(panel.title)}{f', {unit}' if unit else ''}")
        parts += [dash_key(view)] if panel is keyed else []
        parts += _panel(panel, table.unit)
    parts += _section(ratio_title(view.ratios), ratio_lines(view.ratios, view.comparable))
    if asks_about_random(view):
        parts += ["## Where active selection does not beat random", safe(against_summary(view))]
        parts += [_bullets(against_lines(view))] if view.against else []
    parts += _section("The order", order_lines(view.orders))
    parts += _section("What the paper says", table.claims)
    notes = footnotes(view)
    parts += ["## Footnotes", "\n".join(f"{n + 1}. {safe(note)}" for n, note in enumerate(notes))] if notes else []
    parts += _section("Records", _records(view))
    return "\n\n".join(parts) + "\n"


def _item(view: View) -> str:
    source = view.table.source
    return source.item + (f" (section {source.section})" if source.section else "")


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return [f"## {title}", _bullets(lines)] if lines else []


def _bullets(lines: Sequence[str]) -> str:
    return "\n".join(f"- {safe(line)}" for line in lines)


def _panel(panel: PanelView, unit: str) -> list[str]:
    if panel.curves:
        return [_curves(panel.curves)]
    if panel.explored:
        return [_explored(panel.chart, panel.explored)]
    if panel.listing is not None:
        return [_listing(panel.listing, unit)]
    if panel.absence:
        return [f"Published; {panel.absence}.", _published(panel)]
    lines = [_row(["", "", *map(safe, panel.columns)]), _row(["---", "---", *["---:"] * len(panel.columns)])]
    for row, cells in panel.rows:
        if panel.has_printed:
            lines.append(_row([safe(row), "published", *(_printed(cell) for cell in cells)]))
        lines.append(_row(["" if panel.has_printed else safe(row), "measured", *(_measured(cell) for cell in cells)]))
    return ["\n".join(lines)]


def _published(panel: PanelView) -> str:
    """Return a table of published numbers alone."""
    lines = [_row(["", *map(safe, panel.columns)]), _row(["---", *["---:"] * len(panel.columns)])]
    for row, cells in panel.printed_rows:
        quoted = [
            " (quoted)" if cell.slot.quoted and cell.printed and panel.absence == ELSEWHERE else "" for cell in cells
        ]
        lines.append(_row([safe(row), *(_printed(cell) + note for cell, note in zip(cells, quoted, strict=True))]))
    return "\n".join(lines)


def _printed(cell: CellView) -> str:
    notes = "".join(f" [{number}]" for number in cell.notes)
    return f"{safe(cell.printed) or NOTHING}{notes}"


def _measured(cell: CellView) -> str:
    below = f" ({safe(cell.below)})" if cell.below else ""
    return f"{safe(cell.measured)}{below}{' **≠**' if cell.marked else ''}"


def _curves(curves: Sequence[Curve]) -> str:
    lines = [
        _row(["", "queries charged", "agreement", "95 % interval", "seeds"]),
        _row(["---", "---:", "---:", "---:", "---:"]),
    ]
    lines += [_row([safe(name), *numbers]) for name, *numbers in curve_lines(curves)]
    return "\n".join(lines)


def _explored(chart: str | None, found: Explored) -> str:
    """Return sizes, class balance and how planes were made; drawings and pictures are on the HTML page."""
    parts = []
    for one, shown in found:
        parts.append(f"{safe(shown.title)}. {safe(shown.facts)}")
        if chart == "balance" and one.balance:
            lines = [_row(["class", "count"]), _row(["---", "---:"])]
            lines += [_row([safe(name), f"{size:,}"]) for name, size in zip(one.classes, one.balance, strict=True)]
            parts.append("\n".join(lines))
        elif chart == "planes":
            parts += [safe(caption) for _, caption in shown.planes]
    return "\n\n".join(parts if chart == "balance" else [*parts, "The drawings are on the HTML page."])


def _listing(found: Listing, unit: str) -> str:
    names = [name for name, _ in found.columns]
    lines = [_row([found.head, *map(safe, names)]), _row(["---", *["---:"] * len(names)])]
    for label, cells in listed(found, unit):
        lines.append(_row([safe(label), *(text + (f" ({ends})" if ends else "") for text, ends in cells)]))
    return "\n".join(lines)


def _records(view: View) -> list[str]:
    lines = []
    for one in view.provenance:
        parts = [f"{one.audit}: {one.finished} of {one.cells} cells"]
        parts += [f"`{one.command}`"] if one.command else []
        lines.append("; ".join([*parts, *one.machines]))
    return lines


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def safe(text: str) -> str:
    """Return text in which nothing is taken for HTML or for the bar of a table."""
    text = text.replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"([|*_\\\[\]])", r"\\\1", text) if "`" not in text else text.replace("|", "\\|")
