"""A reproduction as JSON, for other tools."""

from __future__ import annotations

import dataclasses
from typing import Any

from copycost.measures import Interval
from copycost.reproduce._judgements import Against, Order
from copycost.reproduce._schema import Published
from copycost.reproduce._sentences import against_lines, against_summary
from copycost.reproduce._view import CellView, PanelView, View

__all__ = ["SCHEMA", "document"]

SCHEMA = "copycost.reproduction/1"


def document(view: View) -> dict[str, Any]:
    """Return everything a page says as one document; numbers are in the units of the records (shares, not per cent)."""
    table = view.table
    return {
        "schema": SCHEMA,
        "name": table.name,
        "title": table.title,
        "source": table.source.model_dump(),
        "kind": table.kind,
        "unit": table.unit,
        "scale": view.scale,
        "comparable": view.comparable,
        "differs": list(table.differs.get(view.scale, ())),
        "expected": view.expected,
        "missing": view.missing,
        "marked": view.marked,
        "panels": [_panel(panel) for panel in view.panels],
        "ratios": [
            {"name": one.ratio.name, "published": one.ratio.published, "interval": _interval(one.interval)}
            for one in view.ratios
        ],
        "against_random": {
            "summary": against_summary(view),
            "sentences": against_lines(view),
            "differences": [_against(one) for one in view.against],
        },
        "orders": [_order(one) for one in view.orders],
        "flags": [flag.model_dump() for flag in view.flags],
        "records": [dataclasses.asdict(one) for one in view.provenance],
    }


def _panel(panel: PanelView) -> dict[str, Any]:
    return {
        "title": panel.title,
        "columns": list(panel.columns),
        "cells": [_cell(cell) for _, cells in panel.rows for cell in cells],
        "curves": [
            {"name": one.name, "queries": list(one.queries), "intervals": [_interval(each) for each in one.intervals]}
            for one in panel.curves
        ],
        "listing": None
        if panel.listing is None
        else {
            "head": panel.listing.head,
            "labels": list(panel.listing.labels),
            "columns": [
                {"name": name, "intervals": [_interval(one) for one in found]} for name, found in panel.listing.columns
            ],
        },
        "explored": [
            {"name": one.name, "count": one.count, "classes": list(one.classes), "balance": list(one.balance)}
            for one, _ in panel.explored
        ],
    }


def _between(printed: Published) -> list[float | None]:
    """Return the smallest and the largest number that is printed so; of a bound the first is null."""
    return [None if printed.bounds else printed.low, printed.high]


def _cell(cell: CellView) -> dict[str, Any]:
    slot, found = cell.slot, cell.found
    return {
        "row": cell.row,
        "column": cell.column,
        "setting": cell.setting,
        "measure": slot.measure,
        "statistic": slot.statistic,
        "published": None if slot.printed is None else slot.printed.text,
        "published_between": None if slot.printed is None else _between(slot.printed),
        "flags": [number - 1 for number in cell.notes],
        "measured": found.figure,
        "interval": _interval(found.interval),
        "seeds": list(found.seeds),
        "expected": found.expected,
        "strategy": None if found.choice is None else found.choice.strategy,
        "audit": None if found.choice is None else found.choice.audit,
        "outside": cell.marked,
    }


def _against(one: Against) -> dict[str, Any]:
    return {
        "panel": one.panel,
        "column": one.column,
        "row": one.row,
        "difference": _interval(one.interval),
        "verdict": one.verdict,
    }


def _order(one: Order) -> dict[str, Any]:
    return dataclasses.asdict(one)


def _interval(interval: Interval | None) -> dict[str, Any] | None:
    return None if interval is None else dataclasses.asdict(interval)
