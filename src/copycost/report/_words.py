"""What the figures say, in sentences: the headline, what it means, and what it does not show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from copycost.audit import AuditResult, AuditSpec
from copycost.measures import Interval, QueriesNeeded, difference_supported
from copycost.report._figures import Figures, Series
from copycost.report._text import NBSP, count, joined, level, needed_words, plural, points, small, spread, with_interval

__all__ = ["Best", "Pairs", "best", "headline", "leaves_out", "lede", "meaning", "needed_of", "not_shown", "sorted_out"]


@dataclass(frozen=True)
class Best:
    """The series that needed the fewest queries, and whether it got there at all."""

    series: Series
    queries: float | None


def best(figures: Figures) -> Best:
    """Return the series with the lowest queries needed; where none got there, the one that agrees most at the end."""
    ranked = [(needed_of(figures, series).queries, series) for series in figures.series]
    reached = [(queries, series) for queries, series in ranked if queries is not None]
    if reached:
        queries, series = min(reached, key=lambda pair: pair[0])
        return Best(series, queries)
    return Best(max(figures.series, key=lambda series: _final(figures, series).mean), None)


def needed_of(figures: Figures, series: Series) -> QueriesNeeded:
    wanted = (series.strategy, series.answers, figures.headline_level)
    return next(
        found.needed for found in figures.result.needed if (found.strategy, found.answers, found.level) == wanted
    )


def _final(figures: Figures, series: Series) -> Interval:
    found = figures.interval(series, figures.largest, lambda measured: float(measured["agreement"]))
    assert found is not None
    return found


def subject(result: AuditResult) -> str:
    """Return what was done, as the subject of a sentence."""
    return "Learning the known labels" if result.spec.target == "labels" else "Copying this model"


def headline(figures: Figures) -> tuple[str, str, str]:
    """Return the answer in one sentence, in three pieces: the middle one is its interval, with the spaces around it."""
    found = best(figures)
    start = f"{subject(figures.result)} to {level(figures.headline_level)} agreement"
    if found.queries is None:
        return (
            f"{start} takes more than {count(figures.largest)} queries, the largest budget, with "
            f"{_all_tried(figures)}.",
            "",
            "",
        )
    queries, _, interval = needed_words(needed_of(figures, found.series)).partition(" (")
    return f"{start} took {queries}", f" ({interval} ", f"with {_best_tried(figures)}, {found.series.name}."


def _kind_of_series(figures: Figures) -> str:
    return "strategies" if len(figures.spec.answers) == 1 else "pairs of strategy and answers"


def _all_tried(figures: Figures) -> str:
    tried = len(figures.series)
    return (
        f"the only strategy tried, {figures.series[0].name}"
        if tried == 1
        else f"each of the {small(tried)} {_kind_of_series(figures)} tried"
    )


def _best_tried(figures: Figures) -> str:
    tried = len(figures.series)
    return (
        "the only strategy tried" if tried == 1 else f"the best of the {small(tried)} {_kind_of_series(figures)} tried"
    )


_LISTED = 3
_MANY = 3
BASELINES = ("random", "random group=label")


def lede(figures: Figures) -> list[str]:
    """Return what a reader of the headline needs to read it rightly."""
    at, found = figures.headline_level, best(figures)
    who = "known labels" if figures.spec.target == "labels" else "the target"
    sentences = [
        f"{level(at)} agreement means that the copy gives the same label as {who} on {100 * at:g} of 100 held-out "
        f"{figures.nouns}."
    ]
    if found.queries is None:
        return [*sentences, *_lower_level(figures)]
    others = [series for series in figures.series if series != found.series]
    if 0 < len(others) <= _LISTED:
        listed = "; ".join(f"{one.name}, {needed_words(needed_of(figures, one))}" for one in others)
        sentences.append(f"{'The others' if len(others) > 1 else 'The other'}: {listed}.")
    if others:
        sentences.append(
            "The lowest figure was picked after all were measured; its interval does not allow for that choice."
        )
    return sentences


def _lower_level(figures: Figures) -> list[str]:
    """Say which lower level was reached, the highest of them, and by whom with the fewest queries."""
    reached = [
        found
        for found in figures.result.needed
        if found.level < figures.headline_level and found.needed.queries is not None
    ]
    if not reached:
        lower = any(one < figures.headline_level for one in figures.spec.levels)
        return ["No lower level that was asked for was reached either."] if lower else []
    top = max(found.level for found in reached)
    least = min((found for found in reached if found.level == top), key=lambda found: found.needed.queries or 0.0)
    series = next(one for one in figures.series if (one.strategy, one.answers) == (least.strategy, least.answers))
    words = needed_words(least.needed)
    return [f"{level(top)} agreement took {words} with the one that needed fewest, {series.name}."]


def meaning(figures: Figures) -> list[str]:
    """Return what the figures support."""
    warned = one_class(figures.result, figures.nouns)
    return [*warned, _closeness(figures), *_transfer_meaning(figures), *against_random(figures.result)]


def one_class(result: AuditResult, nouns: str) -> list[str]:
    """Warn where agreement says little, as a copy or the target gives every held-out input the same class."""
    copies, target = result.one_class()
    if target:
        return [
            f"A target gave all held-out {nouns} the same class: any copy that says so too agrees with it, and no "
            "figure here tells how hard it is to copy. Look at the target, or widen the test set."
        ]
    if not copies:
        return []
    whole = len(result.cells)
    return [
        f"{count(copies)} of {count(whole)} copies gave all held-out {nouns} one and the same class: they have learned "
        "nothing yet, and their agreement is the share of that class. Larger budgets, a longer schedule, or a pool "
        "nearer to the target’s own inputs may help."
    ]


def _closeness(figures: Figures) -> str:
    series = max(figures.series, key=lambda one: _final(figures, one).mean)
    final = _final(figures, series)
    text = (
        f"At {count(figures.largest)} queries, the largest budget, the closest copies ({series.name}) agree with the "
        "target on "
        f"{with_interval(final)} of the held-out {figures.nouns}."
    )
    ceiling = figures.result.ceiling
    if ceiling is None:
        why = "could not be measured" if figures.result.spec.ceiling else "was not measured"
        return f"{text} How well two independently trained targets would agree, the ceiling, {why}."
    gap = final.mean - ceiling.mean
    side = "below" if gap < 0 else "above"
    return (
        f"{text} Two targets trained independently on the same data agree on {with_interval(ceiling)}: on average "
        "these copies lie "
        f"{points(gap)} points {side} that line. A copy on the line is as much like the target as a second training "
        "run."
    )


_UNSURE = "these seeds are too few, or differ too much, to say whether a copy helps to prepare attacks on the target"


def _transfer_meaning(figures: Figures) -> list[str]:
    series = best(figures).series
    for rate, ending in (
        ("wanted", "were taken by the target for the class the attack wanted"),
        ("left_clean", "changed the target’s label"),
    ):
        found = figures.result.curve(f"transfer_{rate}", series.strategy, series.answers)
        if found is not None:
            interval = found.intervals[-1]
            surely = interval.low is not None and interval.low > 0
            verdict = "a copy can be used to prepare attacks on the target itself" if surely else _UNSURE
            return [
                f"Of the adversarial examples that fooled a copy made with {count(figures.largest)} queries "
                f"({series.name}), {with_interval(interval)} {ending}: {verdict}."
            ]
    return []


def against_random(result: AuditResult) -> list[str]:
    """Say for each strategy where it loses to random, beats it, or neither, as paired differences support."""
    spec, sentences = result.spec, _tally(result)
    for strategy in spec.strategies:
        if strategy in BASELINES:
            continue
        for answers in spec.answers:
            found = [
                one
                for one in result.differences
                if (one.strategy, one.answers, one.measure) == (strategy, answers, "agreement")
            ]
            if not found:
                sentences.append(_no_comparison(strategy, spec.seeds))
                break
            name = strategy if len(spec.answers) == 1 else f"{strategy} ({answers})"
            sentences += _verdicts(name, found[0].against, [(str(count(one.budget)), one.interval) for one in found])
    return sentences


def _tally(result: AuditResult) -> list[str]:
    """Count who beats random at the largest budget, where many were compared; the sentences after it give details."""
    largest = [
        one
        for one in result.differences
        if one.measure == "agreement" and one.budget == result.spec.budgets[-1] and one.strategy not in BASELINES
    ]
    if len(largest) < _MANY:
        return []
    several = len(result.spec.answers) > 1
    names = [(f"{one.strategy} ({one.answers})" if several else one.strategy, one) for one in largest]
    groups = (
        ("did better", [name for name, one in names if one.supported and one.interval.mean > 0]),
        ("did worse", [name for name, one in names if one.supported and one.interval.mean < 0]),
        ("cannot be told apart from it", [name for name, one in names if not one.supported]),
    )
    parts = [f"{small(len(group))} {verb} ({joined(group)})" for verb, group in groups if group]
    if not groups[0][1]:
        parts.insert(0, "none did better")
    return [
        f"Of the {small(len(names))} compared with a random choice at {count(result.spec.budgets[-1])} queries, "
        f"{joined(parts)}."
    ]


def _no_comparison(strategy: str, seeds: int) -> str:
    if seeds < 2:
        return f"With one seed no difference between {strategy} and a random choice can be claimed."
    return (
        f"No random choice with the same knowledge was measured beside {strategy}, so this page does not say whether "
        "it beats chance."
    )


def _verdicts(name: str, against: str, differences: Sequence[tuple[str, Interval]]) -> list[str]:
    lower, higher, undecided = sorted_out(differences)
    sentences = []
    for those, verb, side in ((lower, "loses to", "lower"), (higher, "beats", "higher")):
        if those:
            at, by = joined([budget for budget, _ in those]), spread([one.mean for _, one in those])
            sentences.append(
                f"{name} {verb} {against} at {at} queries: its agreement is {side} by {by} points, seed by seed, "
                f"and {leaves_out(those)}."
            )
    if undecided:
        where = f"at {joined(undecided)} queries" if lower or higher else "at any budget"
        sentences.append(f"No difference in agreement between {name} and {against} is supported {where}.")
    return sentences


Pairs = Sequence[tuple[str, Interval]]


def sorted_out(differences: Pairs) -> tuple[Pairs, Pairs, list[str]]:
    """Return the supported differences below and above zero, and the budgets of those that are not supported."""
    supported = [(budget, one) for budget, one in differences if difference_supported(one)]
    undecided = [budget for budget, one in differences if not difference_supported(one)]
    return [pair for pair in supported if pair[1].mean < 0], [pair for pair in supported if pair[1].mean > 0], undecided


def leaves_out(those: Pairs) -> str:
    return f"the paired 95{NBSP}% interval{'s leave' if len(those) > 1 else ' leaves'} out zero"


def _varied(spec: AuditSpec) -> str:
    """Return what differs from seed to seed."""
    split = ["the data split"] if any(text.startswith("embedded:") for text in (spec.pool, spec.test)) else []
    target = ["the target"] if spec.trains_target else []
    return joined([*split, *target, "the choice", "the initial weights"])


def _features(figures: Figures) -> str:
    started = any(cell["assumptions"].get("pretrained_features") for cell in figures.result.cells)
    return "other pretrained features" if started else "pretrained features"


def not_shown(figures: Figures) -> list[str]:
    """Return what the audit leaves open."""
    spec, target = figures.spec, figures.result.targets[0]
    sentences = [
        "It is not the least that any copier would need. Other strategies, architectures, training, "
        f"{_features(figures)} or more data were not tried, and a copier may do better than the ones measured here.",
        f"It holds for copiers who own a pool like {target['pool']['name']} "
        f"({plural(target['pool']['count'], figures.medium)}). "
        "Other pools, such as one less like the target’s own data, were not measured.",
        "It does not say whether the queries would be noticed, limited or priced by whoever runs the target.",
    ]
    if spec.seeds > 1:
        sentences.append(
            f"Intervals cover what {plural(spec.seeds, 'seed')} vary ({_varied(spec)}), not other tasks or other "
            f"held-out {figures.nouns}. Each is a 95{NBSP}% interval of its own, not corrected for how many are "
            "compared."
        )
    else:
        sentences.append("One seed was run: nothing here says how much the figures would vary if it were run again.")
    return sentences
