"""Who is assumed to copy: what they own, what they ask, how they train, and what they look at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from copycost.report._figures import Figures, Series
from copycost.report._tables import NOTHING, Cell, Table
from copycost.report._text import NBSP, count, joined, plural
from copycost.strategies import parse
from copycost.strategies._registry import OF_FILES

__all__ = ["answer_words", "facts_table", "looks", "threat_model"]

Record = dict[str, Any]


def answer_words(answers: str) -> str:
    """Return a kind of answer in words."""
    name, _, amount = answers.partition(":")
    return {
        "top1": "the label alone",
        "probabilities": "the probabilities of all classes",
        "topk": f"the {amount} largest probabilities",
        "rounded": f"the probabilities of all classes, rounded to {plural(int(amount or 0), 'decimal')}",
    }[name]


def threat_model(figures: Figures) -> list[str]:
    """Return who is assumed to copy, what they can do, and what counts as success."""
    spec, target, one = figures.spec, figures.result.targets[0], figures.medium
    pool, test = target["pool"], target["test"]
    kinds = joined([answer_words(answers) for answers in spec.answers])
    attacks = ", and as far as adversarial examples made on the copy work on the target" if one == "image" else ""
    return [
        f"The copier reaches the target only through its predictions: it sends {_a(one)} and receives {kinds}. Each "
        f"{one} costs one query; {_a(one)} it already paid for is free to ask again.",
        f"It owns {plural(pool['count'], one)}{_shape(pool['shape'])} ({pool['name']}) and chooses from them what to "
        "ask.",
        *_changed(figures, pool, test),
        f"It trains a {spec.substitute} network on the answers ({spec.schedule}), the same way whichever strategy "
        "chose.",
        *_shares(figures),
        f"It succeeds as far as its copy gives the target’s own label on {plural(test['count'], one)} "
        f"({test['name']}) that are not in the pool{attacks}.",
        "Left out: access to weights or hardware, stolen training data, and owners who watch, limit or distort what "
        "is answered.",
    ]


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _shape(shape: Sequence[int] | None) -> str:
    if shape is None:
        return ""
    height, width, channels = shape
    return f" of {height} × {width} pixels, {'grey' if channels == 1 else plural(channels, 'channel')}"


def _changed(figures: Figures, pool: Record, test: Record) -> list[str]:
    """Return how images were changed on the way from their files, and which files were left out."""
    lines = []
    if transform := str(figures.spec.transform.transform()):
        lines.append(f"Every image was changed before anything saw it: {transform}.")
    for role, facts in (("pool", pool), (f"held-out {figures.nouns}", test)):
        if notes := facts.get("notes"):
            told = joined([f"{words} ({count(number)})" for words, number in notes.items()])
            lines.append(f"Files of the {role}: {told}.")
    return lines


def _shares(figures: Figures) -> list[str]:
    """Return how a budget is shared out between validation, a random start and rounds, and what copies start from."""
    spec, lines = figures.spec, []
    rounds = [strategy for strategy in spec.strategies if parse(strategy).iterative]
    if rounds:
        others = "; the others ask everything at once" if len(rounds) < len(spec.strategies) else ""
        by_length: dict[str, list[str]] = {}
        for strategy in rounds:
            by_length.setdefault(_rounds_in_words(figures, strategy), []).append(strategy)
        who, how = f" ({joined(rounds)})", next(iter(by_length))
        if len(by_length) > 1:
            who, how = "", "; ".join(f"{joined(some)} {words}" for words, some in by_length.items())
            how = f"in rounds ({how})"
        lines.append(
            f"Strategies that look at the copy{who} draw {_per_cent(spec.seed_share)} of a budget at random and choose "
            f"the rest {how}, training a fresh copy from the same initial weights on all answers after each{others}."
        )
    if spec.validation_share:
        lines.append(
            f"{_per_cent(spec.validation_share)} of every budget{_validated(figures)} is drawn at random, charged like "
            "the rest and never trained on: it tells which epoch of a training was best."
        )
    if spec.vectors is not None:
        lines.append(f"Its copies start from the word vectors {spec.vectors}, which are its own, not the target’s.")
    return lines


def _rounds_in_words(figures: Figures, strategy: str) -> str:
    """Return in how many rounds the records show a strategy to choose, which may differ by budget."""
    found = {
        len(cell["result"].get("rounds") or [0]) - 1
        for series in figures.series
        if series.strategy == strategy
        for budget in figures.spec.budgets
        for cell in figures.cells(series, budget)
    } - {0}
    if not found:
        return "in rounds"
    least, most = min(found), max(found)
    return f"in {plural(most, 'round')}" if least == most else f"in {count(least)} to {plural(most, 'round')}"


def _per_cent(part: float) -> str:
    return f"{100 * part:g}{NBSP}%"


def _validated(figures: Figures) -> str:
    """Return how many queries validated at the largest budget, as its records count them."""
    found = [figures.cells(series, figures.largest)[0]["result"].get("validation") for series in figures.series]
    numbers = {len(one["answers"]) for one in found if one is not None}
    return f" ({count(numbers.pop())} of {count(figures.largest)} queries)" if len(numbers) == 1 else ""


def looks(strategy: str) -> str:
    """Return what a strategy looks at when it chooses."""
    found = parse(strategy)
    pool = "its pool and the pool’s own labels" if "labels" in found.needs else "its pool"
    listed = not OF_FILES.keys().isdisjoint(found.name.split(" + "))
    seen = [pool]
    if found.iterative:
        seen.append("the copy as the round before left it")
    told = f"The strategy sees {', and '.join(seen)}"
    if found.looks_inside:
        kinds = " and ".join(_INSIDE[need] for need in sorted(found.looks_inside))
        told = (
            f"The strategy sees {', '.join(seen)} and, as no outsider could, the target’s own {kinds} for every member "
            "of the pool, which no budget pays for"
        )
    elif not found.iterative:
        told += " alone and chooses before anything is asked"
    if listed:
        told += ". It is given a list that was chosen beforehand; what the chooser knew is not recorded"
    return f"{told}."


_INSIDE = {"target_probabilities": "probabilities", "target_traces": "activated neurons"}
_FACTS = {
    "examined": ("images examined by DeepFool", True),
    "unconverged": ("of these, not fooled within its steps", True),
    "unconverged_chosen": ("of these, picked all the same for want of others", True),
    "radius": ("largest distance left to a centre", False),
    "rho": ("length of the shortlist", False),
    "lowest": ("lowest confidence of the target among those chosen", False),
    "highest": ("highest confidence of the target among those chosen", False),
    "misclassified": ("chosen although the target gets them wrong", True),
    "empty": ("clusters that were empty and were filled from the largest", True),
    "components_fewest": ("fewest principal components of a group", False),
    "components_most": ("most principal components of a group", False),
    "passed_over": ("listed inputs that were not free any more", True),
    "seeds": ("inputs that new ones were made from", True),
    "duplicates": ("made inputs that repeat another", True),
    "exchanges_of_k": ("exchanges of the start that needed most, for each chosen", False),
    "active_lowest": ("share of neurons activated, lower end", False),
    "active_lower_quartile": ("share of neurons activated, lower quartile", False),
    "active_median": ("share of neurons activated, median", False),
    "active_upper_quartile": ("share of neurons activated, upper quartile", False),
    "active_highest": ("share of neurons activated, upper end", False),
    "dropped_duplicates": ("made inputs left out as duplicates", True),
}


def facts_table(figures: Figures) -> Table | None:
    """Return what choosing left in the records, round by round; None where that is nothing."""
    rows = []
    for series in figures.series:
        told = list(_facts(figures, series))
        for name in dict.fromkeys(name for facts in told for name in facts):
            values = [float(facts[name]) for facts in told if name in facts]
            words, counted = _FACTS.get(name, (name.replace("_", " "), False))
            total = Cell(count(sum(values))) if counted else Cell(NOTHING, tone="none")
            rows.append((Cell(series.name), Cell(words), Cell(f"{sum(values) / len(values):,.4g}"), total))
    if not rows:
        return None
    head = ("strategy", "what", "mean a round", "all rounds")
    return Table("What choosing left in the records, over all budgets and seeds", head, tuple(rows), headers=2)


def _facts(figures: Figures, series: Series) -> Iterator[dict[str, float]]:
    for budget in figures.spec.budgets:
        for cell in figures.cells(series, budget):
            for found in cell["result"].get("rounds") or []:
                dropped = found.get("dropped_duplicates")
                yield {**found.get("facts", {}), **({"dropped_duplicates": dropped} if dropped else {})}
