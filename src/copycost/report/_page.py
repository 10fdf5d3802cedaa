"""Puts the page together: figures into the template, style and script into the page, nothing from anywhere else."""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from collections.abc import Mapping
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

from copycost.audit import AuditResult, Cost
from copycost.exploration import Exploration
from copycost.measures import Interval, student_interval
from copycost.report import _classes, _copier, _kinds, _robustness, _rounds, _setting, _tables, _words
from copycost.report._charts import Line, Reference, Row, line_chart, range_chart, shared_scale
from copycost.report._explored import explored_sets
from copycost.report._figures import Figures, Series
from copycost.report._marks import dot_swatch, swatch
from copycost.report._pictures import picture_budget, sheets
from copycost.report._sources import Chosen, Samples
from copycost.report._text import count, level, percent, plural, with_interval

__all__ = ["render"]

_OPEN_MATRICES = 2
_CEILING = "two independently trained targets agree"
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def render(
    result: AuditResult,
    *,
    pictures: bool = True,
    images: Chosen | None = None,
    exploration: Mapping[str, Exploration] | None = None,
    samples: Samples | None = None,
    cost: Cost | None = None,
) -> str:
    """Return the report of a finished audit as one HTML page that loads nothing.

    The same audit gives the same page, to the byte.

    Parameters
    ----------
    result : AuditResult
        What `copycost.audit.read_audit` returned.
    pictures : bool
        Whether images or texts of the data may be shown; False for private data.
    images : callable (record of a cell) -> uint8 array (n, height, width, channels), tuple of n texts, or None
        Finds what a cell chose, as `chosen_inputs` does; without it, or where it returns None, the page says that it
        is missing.
    exploration : mapping of role to Exploration, or None
        What `copycost.exploration.read_exploration` returned; without it the page has no section of the data.
    samples : callable (role, Exploration) -> as ``images``
        Finds the samples of an explored set.
    cost : Cost or None
        Money and hours of a query; with it the queries needed are also said so.

    Returns
    -------
    str
        HTML that can be written as UTF-8, whatever the records hold.
    """
    figures = Figures(result)
    css, script = _text("page.css"), _text("page.js")
    page = (
        _environment()
        .get_template("page.html")
        .render(
            css=Markup(css),
            script=Markup(script),
            policy=_policy(css, script),
            figures=figures,
            spec=result.spec,
            result=result,
            target=result.targets[0],
            cost_table=_tables.cost_table(figures, cost) if cost is not None and cost.known else None,
            medium=figures.medium,
            nouns=figures.nouns,
            explored=explored_sets(exploration or {}, samples if pictures else None),
            **_top(figures),
            **_by_rounds(figures),
            **_sections(figures),
            **_seen(figures, pictures, images),
            **_setting_parts(figures),
        )
    )
    return _CONTROL.sub("\ufffd", page).encode("utf-8", "replace").decode("utf-8")


def _text(name: str) -> str:
    return resources.files("copycost.report").joinpath(name).read_text(encoding="utf-8")


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=jinja2.FunctionLoader(_text),
    )
    environment.filters |= {"count": count, "percent": percent, "level": level}
    environment.globals |= {"plural": plural, "swatch": swatch, "dot_swatch": dot_swatch}
    return environment


def _policy(css: str, script: str) -> str:
    """Return a content security policy that runs this style and this script and allows no request."""
    return (
        f"default-src 'none'; img-src data:; style-src '{_source_hash(css)}'; script-src '{_source_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _source_hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def _top(figures: Figures) -> dict[str, Any]:
    return {
        "headline": _words.headline(figures),
        "lede": _words.lede(figures),
        "facts": _facts(figures),
        "agreement_charts": _agreement_charts(figures),
        "agreement_table": _tables.agreement_table(figures),
        "range_chart": _range_chart(figures),
        "needed_table": _tables.needed_table(figures),
        "legend": [
            (series.strategy, series.colour) for series in figures.series if series.answers == figures.spec.answers[0]
        ],
    }


def _facts(figures: Figures) -> list[tuple[str, str, str]]:
    """Return the few figures that stand beside the headline: a name, a figure and a note each."""
    series, result = _words.best(figures).series, figures.result
    at = f"{series.name}, {count(figures.largest)} queries"
    found: list[tuple[str, Interval | None, str]] = [
        ("Agreement of the copy", figures.interval(series, figures.largest, lambda one: float(one["agreement"])), at),
        ("Ceiling", result.ceiling, _CEILING),
        ("Accuracy of the target", figures.target_accuracy(), f"on the held-out {figures.nouns}"),
    ]
    curve = _transfer_curve(figures, series)
    if curve is not None:
        found.append(("Attacks that carry over", curve[1].intervals[-1], f"{curve[0]}; {at}"))
    return [(name, percent(interval.mean), note) for name, interval, note in found if interval is not None]


def _agreement_charts(figures: Figures) -> list[tuple[str, Markup]]:
    """Return a chart for each kind of answer, all on the same axes."""
    result, spec = figures.result, figures.spec
    ceiling = None if result.ceiling is None else Reference(result.ceiling, _CEILING)
    by_answers = {answers: _lines(figures, "agreement", answers) for answers in spec.answers}
    extra = [figures.headline_level] + ([result.ceiling.mean] if result.ceiling else [])
    values = shared_scale([line for lines in by_answers.values() for line in lines], *extra)
    return [
        (
            answers,
            line_chart(
                _about("Agreement with the target", answers, lines),
                lines,
                values=values,
                levels=spec.levels,
                ceiling=ceiling,
            ),
        )
        for answers, lines in by_answers.items()
    ]


def _lines(figures: Figures, measure: str, answers: str) -> list[Line]:
    found = [
        (series, figures.result.curve(measure, series.strategy, answers))
        for series in figures.series
        if series.answers == answers
    ]
    return [
        Line(series.strategy, series.colour, curve.budgets, curve.intervals)
        for series, curve in found
        if curve is not None
    ]


def _about(what: str, answers: str, lines: list[Line]) -> str:
    ends = "; ".join(
        f"{line.name} from {percent(line.intervals[0].mean)} at {count(line.budgets[0])} queries to "
        f"{percent(line.intervals[-1].mean)} at {count(line.budgets[-1])}"
        for line in lines
    )
    return f"Line chart. {what} against queries, answers {answers}: {ends}. The table below holds every figure."


def _by_rounds(figures: Figures) -> dict[str, Any]:
    charts = _rounds.round_charts(figures)
    return {
        "round_charts": charts,
        "rounds_table": _rounds.rounds_table(figures) if charts else None,
        "rounds_meaning": _rounds.rounds_meaning(figures),
        "robustness_table": _robustness.robustness_table(figures),
        "robustness_words": _robustness.robustness_words(figures),
    }


def _range_chart(figures: Figures) -> Markup:
    found = {(one.strategy, one.answers, one.level): one.needed for one in figures.result.needed}
    groups = [
        (
            f"{level(at)} agreement",
            [Row(one.name, one.colour, found[one.strategy, one.answers, at]) for one in figures.series],
        )
        for at in figures.spec.levels
    ]
    return range_chart(
        "Ranges of queries needed for each level of agreement; the table below holds every figure.",
        groups,
        figures.spec.budgets,
    )


def _sections(figures: Figures) -> dict[str, Any]:
    several = len(figures.spec.answers) > 1
    matrices = [matrix for series in figures.series for matrix in _classes.confusion_matrices(figures, series)]
    class_table, left_out = _classes.class_table(figures)
    return {
        "meaning": _words.meaning(figures),
        "not_shown": _words.not_shown(figures),
        "difference_table": _tables.difference_table(figures.result) if figures.result.differences else None,
        "transfer_charts": _transfer_charts(figures),
        "transfer_table": _tables.transfer_table(figures) if figures.transfers() else None,
        "attack": _setting.attack_words(figures.transfers()[0]["plan"]) if figures.transfers() else "",
        "measures_table": _tables.measures_table(figures),
        "seed_table": _tables.seed_table(figures),
        "class_table": class_table,
        "classes_left_out": left_out,
        "transfer_class_table": _classes.transfer_class_table(figures),
        "matrices": matrices[:_OPEN_MATRICES],
        "more_matrices": matrices[_OPEN_MATRICES:],
        "raised": _kinds.raised_cost(figures),
        "kinds_table": _kinds.answer_kinds_table(figures) if several else None,
        "try_answers": "copycost audit --config audit.yaml --answers top1,probabilities,rounded:1 --out audit-answers",
    }


def _transfer_curve(figures: Figures, series: Series) -> tuple[str, Any] | None:
    """Return the first transfer rate that every cell of a series has, the wanted class before the others."""
    for rate, words in (("wanted", "target gives the wanted class"), ("left_clean", "target changes its label")):
        curve = figures.result.curve(f"transfer_{rate}", series.strategy, series.answers)
        if curve is not None:
            return words, curve
    return None


def _transfer_charts(figures: Figures) -> list[tuple[str, Markup]]:
    for rate, words in (
        ("wanted", "Examples taken for the wanted class"),
        ("left_clean", "Examples that change the target’s label"),
    ):
        by_answers = {answers: _lines(figures, f"transfer_{rate}", answers) for answers in figures.spec.answers}
        lines = [line for found in by_answers.values() for line in found]
        if lines:
            values = shared_scale(lines)
            return [
                (answers, line_chart(_about(words, answers, found), found, values=values))
                for answers, found in by_answers.items()
                if found
            ]
    return []


def _seen(figures: Figures, pictures: bool, images: Chosen | None) -> dict[str, Any]:
    found = sheets(figures, images) if pictures and images is not None else None
    accuracy = figures.target_accuracy()
    return {
        "pictures": pictures,
        "sheets": found,
        "picture_budget": picture_budget(figures.spec.budgets, figures.medium),
        "contradicted": sum(
            cell["result"]["queries"]["answers_against_pool_label"] or 0 for cell in figures.result.cells
        ),
        "contradictions": _tables.contradiction_table(figures),
        "target_error": ""
        if accuracy is None
        else with_interval(student_interval([1 - one for one in accuracy.values])),
    }


def _setting_parts(figures: Figures) -> dict[str, Any]:
    return {
        "assumptions": _setting.assumptions(figures),
        "threat_model": _copier.threat_model(figures),
        "facts_table": _copier.facts_table(figures),
        "accounts": _setting.accounts_table(figures),
        "machines": _setting.machines(figures),
        "yaml": _setting.spec_yaml(figures.spec),
        "command": _setting.command(figures.spec, figures.medium),
    }
