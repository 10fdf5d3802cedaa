"""The sets of an audit as they were before it: class balance, samples, and points in a plane (Schmidl 2021, 3)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from copycost.exploration import Exploration, Plane
from copycost.report._marks import PAIRS
from copycost.report._pictures import Group, Sheet, group_of
from copycost.report._planes import Dots, balance_bars, scatter
from copycost.report._sources import Samples, Shown
from copycost.report._text import count, joined, percent, plural

__all__ = ["ExploredSet", "explored_sets"]

_ROLES = {"training": "Training data of the target", "pool": "Pool", "test": "Held-out set"}
_MOST_BARS = 60
_MOST_MARKS = 20
_KEPT_MARKS = 12
_MOST_PICTURES = 100


@dataclass(frozen=True)
class ExploredSet:
    """What the page shows of one set.

    Attributes
    ----------
    title, facts : str
        Its role and name, and how large and how even it is.
    balance : Markup or None
        Bars of its classes, with what ``balance_note`` says; None without labels.
    legend : list of (name, mark)
        What the marks of the planes stand for; empty without labels.
    planes : list of (drawing or None, caption)
        None where there is none, and the caption says why.
    sheet : Sheet or None
        Samples by class; None where they are not to be shown or are missing.
    """

    title: str
    facts: str
    balance: Markup | None
    balance_note: str
    legend: list[tuple[str, int | None]]
    planes: list[tuple[Markup | None, str]]
    sheet: Sheet | None


def explored_sets(found: Mapping[str, Exploration], samples: Samples | None) -> list[ExploredSet]:
    """Return the explored sets in the order training data, pool, held-out set; without ``samples`` none are shown."""
    roles = [role for role in _ROLES if role in found]
    return [_set(role, found[role], None if samples is None else samples(role, found[role])) for role in roles]


def _set(role: str, one: Exploration, shown: Shown | None) -> ExploredSet:
    marks = _marks(one)
    balance, note = _balance(one)
    return ExploredSet(
        title=f"{_ROLES[role]}: {one.name}",
        facts=_facts(one),
        balance=balance,
        balance_note=note,
        legend=_legend(one, marks),
        planes=[_plane(one, plane, marks) for plane in (one.linear, one.neighbours)],
        sheet=None if shown is None else _sheet(one, shown),
    )


def _facts(one: Exploration) -> str:
    size = plural(one.count, one.medium)
    if not one.balance:
        return f"{size}, without labels."
    largest, smallest = max(one.balance), min(one.balance)
    if largest == smallest:
        return f"{size} in {plural(len(one.balance), 'class', 'classes')}, {count(largest)} in each."
    most = [name for name, number in zip(one.classes, one.balance, strict=True) if number == largest]
    least = [name for name, number in zip(one.classes, one.balance, strict=True) if number == smallest]
    return (
        f"{size} in {plural(len(one.balance), 'class', 'classes')}: from {count(smallest)} ({_some(least)}) to "
        f"{count(largest)} ({_some(most)})."
    )


def _some(names: list[str]) -> str:
    return joined(names) if len(names) <= 2 else f"{names[0]} and {len(names) - 1} others"


def _balance(one: Exploration) -> tuple[Markup | None, str]:
    if not one.balance:
        return None, ""
    order = sorted(range(len(one.balance)), key=lambda label: -one.balance[label])[:_MOST_BARS]
    shown = sorted(order) if len(one.balance) <= _MOST_MARKS else order
    classes, counts = [one.classes[label] for label in shown], [one.balance[label] for label in shown]
    about = f"Bars of the {one.medium}s of each class of {one.name}. {_facts(one)}"
    order_note = ", the largest first" if len(one.balance) > _MOST_MARKS else ""
    left = len(one.balance) - len(shown)
    left_note = f"; {plural(left, 'class', 'classes')} no larger than these are not shown" if left else ""
    return balance_bars(about, classes, counts), f"Class balance: {one.medium}s of each class{order_note}{left_note}."


def _marks(one: Exploration) -> dict[int, int | None]:
    """Return the mark of each class in the sample; with many classes only the most frequent have one of their own."""
    present = dict(sorted(Counter(one.labels).items()))
    if len(present) <= _MOST_MARKS:
        return {label: label if len(one.classes) <= PAIRS else rank for rank, label in enumerate(present)}
    kept = sorted(present, key=lambda label: (-present[label], label))[:_KEPT_MARKS]
    return {label: kept.index(label) if label in kept else None for label in present}


def _legend(one: Exploration, marks: dict[int, int | None]) -> list[tuple[str, int | None]]:
    named = sorted((mark, label) for label, mark in marks.items() if mark is not None)
    found: list[tuple[str, int | None]] = [(one.classes[label], mark) for mark, label in named]
    others = sum(mark is None for mark in marks.values())
    return [*found, (f"{count(others)} other classes", None)] if others else found


def _plane(one: Exploration, plane: Plane, marks: dict[int, int | None]) -> tuple[Markup | None, str]:
    if not plane.points:
        return None, f"{plane.method}: not drawn, as {plane.reason}."
    drawn = f"{count(len(one.sample))} of {plural(one.count, one.medium)}"
    caption = f"{plane.method}: {drawn}{', drawn in proportion to the classes' if one.labels else ''}."
    if plane.explained is None:
        axes, caption = ("t-SNE 1 (no unit)", "t-SNE 2 (no unit)"), f"{caption} Distances between clusters mean little."
    else:
        first, second = (percent(share) for share in plane.explained)
        axes = (f"1st component, {first} of variance", f"2nd component, {second} of variance")
        caption += " Pixels run from 0 to 1." if one.medium == "image" else " Words are weighted by TF-IDF."
    groups = _groups(one, plane, marks)
    return scatter(f"Scatter plot. {caption}", groups, axes, numbers=plane.explained is not None), caption


def _groups(one: Exploration, plane: Plane, marks: dict[int, int | None]) -> list[Dots]:
    if not one.labels:
        return [Dots(f"{one.medium}s", 0, plane.points)]
    by_class: dict[int, list[tuple[float, float]]] = {}
    for label, point in zip(one.labels, plane.points, strict=True):
        by_class.setdefault(label, []).append(point)
    order = sorted(by_class, key=lambda label: (marks[label] is not None, label))
    return [Dots(one.classes[label], marks[label], by_class[label]) for label in order]


def _sheet(one: Exploration, shown: Shown) -> Sheet:
    groups: list[Group] = []
    start, most = 0, max(1, _MOST_PICTURES // len(one.samples))
    for label, indices in enumerate(one.samples):
        name = one.classes[label] if one.classes else "all"
        total = one.balance[label] if one.balance else one.count
        rows = range(start, start + min(len(indices), most))
        if indices and len(groups) < _MOST_PICTURES:
            groups.append(group_of(name, total, [shown[row] for row in rows], name))
        start += len(indices)
    left = len([indices for indices in one.samples if indices]) - len(groups)
    note = f"{plural(left, 'class', 'classes')} more, not shown" if left else ""
    return Sheet(
        f"Samples of {one.name}, drawn at random{' from each class' if one.classes else ''}", tuple(groups), note
    )
