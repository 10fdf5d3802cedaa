"""What a page says in words: the same sentences for text and for HTML."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from copycost.reproduce._judgements import Against, Divided, Order
from copycost.reproduce._view import View
from copycost.reproduce._words import ELSEWHERE, NOTHING, figure, interval_words, signed

__all__ = [
    "NO_MARKS",
    "against_lines",
    "against_summary",
    "asks_about_random",
    "compared",
    "dash_key",
    "footnotes",
    "lede",
    "order_lines",
    "progress",
    "ratio_lines",
    "ratio_title",
]

_KINDS = {
    "truncated": "Truncated in print",
    "misprint": "Printed so",
    "unknown": "Not given",
    "note": "Note",
}
_MANY = 20  # comparisons from which on one in 20 that errs is to be expected
NO_MARKS = "At this scale published and measured numbers are not comparable: no mark says that they differ."
_ORDER = " Compare the order of the rows, and what each differs from random."


def lede(view: View) -> list[str]:
    """Return the first sentences: how much is there, how published and measured compare, and what is left out."""
    return [*_lede(view), *_left_out(view)]


def _left_out(view: View) -> list[str]:
    """Name the panels that have nothing to show at this scale."""
    shown = {panel.title for panel in view.shown}
    names = [panel.title for panel in view.panels if panel.title not in shown]
    if not names or not shown:
        return []
    return [
        f"Left out, as nothing of {'it' if len(names) == 1 else 'them'} is measured at this scale: {'; '.join(names)}."
    ]


def dash_key(view: View) -> str:
    """Say what a dash among measured numbers means, where there is one."""
    return f"{NOTHING} in a row of measured numbers: {ELSEWHERE}." if any(one.has_dashes for one in view.panels) else ""


def _lede(view: View) -> list[str]:
    expected, there = view.expected, view.expected - view.missing
    if expected and all(panel.shows_data for panel in view.panels):
        return [_of_data(view)]
    parts = [f"Measured at the scale '{view.scale}': {there:,} of {expected:,} values, one for each cell and seed."]
    if _counted(view):
        parts = [f"Counted here: {there:,} of {expected:,} values."]
    elif not expected:
        parts = [f"Nothing of it is measured at the scale '{view.scale}'."]
    elif view.missing:
        parts.append(
            f"{view.missing:,} {'is' if view.missing == 1 else 'are'} missing; copycost reproduce {view.table.name} "
            f"--scale {view.scale} measures {'it' if view.missing == 1 else 'them'}, with the --out of this page."
        )
    if view.undefined:
        parts.append(f"{view.undefined:,} of them have no value, as a share of no example has none.")
    if not expected or not any(cell.printed for cell in view.cells):
        return parts
    if not view.comparable:
        return [*parts, NO_MARKS + (_ORDER if view.orders else "")]
    sentence = compared(view)
    return [*parts, sentence] if sentence else parts


def progress(view: View) -> str:
    """Return how much is there, in few words."""
    if not view.expected:
        return "nothing of it at this scale"
    there = view.expected - view.missing
    if all(panel.shows_data for panel in view.panels):
        return "the data are shown" if there else "the data were not looked at yet"
    return f"{there:,} of {view.expected:,} values {'counted' if _counted(view) else 'measured'}"


def _counted(view: View) -> bool:
    return all(panel.counted for panel in view.panels)


def _of_data(view: View) -> str:
    if not view.missing:
        return f"These are the data of the scale '{view.scale}'."
    command = f"copycost reproduce {view.table.name} --scale {view.scale}"
    return f"The data of the scale '{view.scale}' were not looked at yet; {command} does."


def compared(view: View) -> str:
    """Return how many published numbers differ from what was measured, or nothing where that cannot be said."""
    if not view.comparable:
        return ""
    able = [cell for cell in view.cells if cell.found.interval is not None and cell.printed]
    judged = [
        cell
        for cell in able
        if cell.slot.builds or (cell.slot.statistic == "mean" and cell.found.interval and cell.found.interval.n > 1)
    ]
    if not judged:
        return ""
    built = all(cell.slot.builds for cell in judged)
    where = "differ from the number counted here" if built else "lie outside the measured 95 % interval"
    places = "place" if len(judged) == 1 else "places"
    return (
        f"Published numbers {where} in {view.marked} of the {len(judged)} {places} where the two can be compared "
        "(marked ≠)."
    )


def against_summary(view: View) -> str:
    """Return how often a strategy beats random, or why nothing can be said."""
    if not view.against:
        return "No strategy has a random beside it whose seeds were measured, so nothing can be said."
    counts = Counter(one.verdict for one in view.against)
    total = len(view.against)
    chance = f" If none differed at all, about {total / 20:.0f} would still seem to." if total >= _MANY else ""
    return (
        f"Of {total} {'comparison' if total == 1 else 'comparisons'} of a strategy with the random beside it, "
        f"paired by seed, the strategy is better in {counts['better']}, random is better in {counts['worse']}, and in "
        f"{counts['open']} the 95 % interval of the difference holds 0.{chance}"
    )


def asks_about_random(view: View) -> bool:
    """Whether a strategy other than random stands in a panel whose order is a question."""
    ordered = [panel.title for panel in view.table.panels if panel.order is not None]
    cells = [cell for panel in view.panels if panel.title in ordered for _, row in panel.rows for cell in row]
    return any(len(cell.slot.choices) == 1 and cell.slot.choices[0].strategy != "random" for cell in cells)


def against_lines(view: View) -> list[str]:
    """Return a sentence for every comparison in which a strategy does not beat random, and then the strategies."""
    unit = view.table.unit
    lines = [_against(one, unit) for one in view.against if one.verdict != "better"]
    return lines + _by_strategy(view.against)


def _against(one: Against, unit: str) -> str:
    ends = interval_words(one.interval, unit, sign=True)
    seeds = f"{one.interval.n} {'seed' if one.interval.n == 1 else 'seeds'}"
    head = f"{one.panel}, {one.column}: {one.row} less random is {signed(one.interval.mean, unit)}"
    if not ends:
        return f"{head} on one seed, which supports no difference."
    tail = "random is better" if one.verdict == "worse" else "no difference is supported"
    return f"{head} ({ends}; {seeds}): {tail}."


def _by_strategy(found: Sequence[Against]) -> list[str]:
    lines = []
    for name in dict.fromkeys(one.row for one in found):
        own = [one for one in found if one.row == name]
        better = sum(one.verdict == "better" for one in own)
        above = sum(one.interval.mean > 0 for one in own)
        times = f"{len(own)} {'comparison' if len(own) == 1 else 'comparisons'}"
        lines.append(f"{name}: better than random in {better} of {times}; its mean is the higher one in {above}.")
    return lines


def order_lines(orders: Sequence[Order]) -> list[str]:
    """Return a sentence for each column (or row) whose cells are printed and measured, and one for all."""
    lines = [
        f"{one.panel}, {one.along}: published {one.printed}; measured {one.measured}. "
        f"{one.same} of {one.pairs} pairs stand as published; "
        + (
            f"{one.supported_same} of {one.supported} whose difference is supported."
            if one.supported
            else "no difference is supported."
        )
        for one in orders
    ]
    pairs, same = sum(one.pairs for one in orders), sum(one.same for one in orders)
    supported, kept = sum(one.supported for one in orders), sum(one.supported_same for one in orders)
    if len(orders) > 1:
        lines.append(
            f"Together: {same} of {pairs} pairs of means stand as published, and {kept} of {supported} whose paired "
            "difference over seeds leaves out 0."
        )
    return lines


def ratio_lines(ratios: Sequence[Divided], comparable: bool) -> list[str]:
    """Return a sentence for each ratio of the text."""
    lines = []
    for one in ratios:
        printed = "" if one.ratio.published is None else f"published {one.ratio.published}; "
        head = f"{one.ratio.name} ({one.ratio.says}): {printed}"
        if one.interval is None:
            lines.append(f"{head}{'it has no value' if one.undefined else 'not measured yet'}.")
            continue
        ends = interval_words(one.interval, "ratio")
        lines.append(
            f"{head}measured {figure(one.interval.mean, 'ratio')} ({ends or 'one seed'})"
            + ("" if comparable else ", over the sets measured at this scale")
            + "."
        )
    return lines


def ratio_title(ratios: Sequence[Divided]) -> str:
    """Return the heading of `ratio_lines`."""
    return "Numbers of the text" if any(one.ratio.published for one in ratios) else "What cells make together"


def footnotes(view: View) -> list[str]:
    """Return the footnotes, in the order of their numbers."""
    return [f"{_KINDS[flag.kind]}: {flag.text}" for flag in view.flags]
