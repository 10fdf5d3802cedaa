"""What a strategy cannot choose of a pool, found out before anything is asked."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from copycost.audit._scenario import Data
from copycost.audit._spec import AuditSpec
from copycost.audit._targets import load_target
from copycost.errors import InvalidInput
from copycost.extraction import Sizes, check_looks, refuse_looks, start_rows, validation_rows
from copycost.inputs import Images
from copycost.networks import new_classifier
from copycost.oracle import AnswerKind
from copycost.oracle.targets import NetworkTarget, file_kind, form_of
from copycost.strategies import Knowledge, Strategy, parse
from copycost.strategies._combination import Combination
from copycost.strategies._groups import Grouped, by_group, free_by_group
from copycost.strategies._list import Listed

__all__ = ["check_choices", "parts_of", "seeds_that_share"]


def parts_of(strategy: Strategy) -> tuple[Strategy, ...]:
    """Return the two strategies of a combination, or the strategy itself."""
    return (strategy.first, strategy.second) if isinstance(strategy, Combination) else (strategy,)


def seeds_that_share(spec: AuditSpec) -> range:
    """Return the seeds whose pool is that of seed 0."""
    drawn = spec.per_seed and spec.pool.removeprefix("unlabelled:").startswith("embedded:")
    return range(1 if drawn else spec.seeds)


def check_choices(spec: AuditSpec, data: Data, seeds: Iterable[int]) -> None:
    """Refuse strategies that cannot choose from the pool of these seeds, as far as that can be told beforehand.

    Raises
    ------
    InvalidInput
        If a strategy needs labels that the pool does not have, a list leads beyond the pool or to too few members that
        are free, there are fewer queries than groups, a group is too small for its share or too large for its matrix,
        or neurons of a target that is to be trained here cannot be seen for the whole pool; or if it needs what no
        target of this form can do.
    """
    seeds = tuple(seeds)
    _check_labels_alone(spec, data)
    _check_neurons(spec, data)
    for text in spec.strategies:
        strategy = parse(text)
        _check_form(spec, strategy, data)
        _check_labels(strategy, data)
        listed = any(isinstance(part, Listed) for part in parts_of(strategy))
        if not listed and not any(isinstance(part, Grouped) or _grouped(part) for part in parts_of(strategy)):
            continue
        for budget in spec.budgets:
            sizes = spec.shares().sizes(strategy, budget)
            drawn = sizes.validation or (listed and sizes.iterative)
            for seed in seeds if drawn else (0,):
                _check_choice(strategy, _beforehand(data, sizes, budget, seed), sizes)


def _beforehand(data: Data, sizes: Sizes, budget: int, seed: int) -> Knowledge:
    """Return what is known once validation and the random start are drawn, as a cell draws them."""
    pool = data.pool
    taken = validation_rows(sizes.validation, len(pool.inputs), seed=seed, budget=budget)
    free = np.setdiff1d(np.arange(len(pool.inputs)), taken)
    start = start_rows(sizes.rounds[0] if sizes.iterative else 0, free, seed=seed, budget=budget)
    return Knowledge(
        pool.inputs,
        max(2, len(data.classes)),
        asked=start,
        labels=pool.labels,
        candidates=free,
        numbering=data.numbering,
        budget=budget,
    )


def _grouped(strategy: Strategy) -> bool:
    return getattr(strategy, "group", "none") == "label"


def _check_labels(strategy: Strategy, data: Data) -> None:
    if "labels" not in strategy.needs or data.pool.labels is not None:
        return
    parts = [part for part in parts_of(strategy) if "labels" in part.needs]
    alone = [dataclasses.replace(part, group="none") if _grouped(part) else part for part in parts]  # type: ignore[type-var]
    way = "choose another strategy" if any("labels" in part.needs for part in alone) else "leave group=label out"
    raise InvalidInput(
        f"strategy '{strategy}' needs the pool's labels, and {data.pool.name} has none; {way}, or name a pool that "
        "carries them."
    )


def _check_labels_alone(spec: AuditSpec, data: Data) -> None:
    """Refuse known labels as the target where there are none, or answers that they cannot give."""
    if form_of(spec.target) == "labels":
        target = load_target(spec, data, Path(), None, None)
        for text in spec.answers:
            AnswerKind.parse(text).check(target.classes, target.gives_probabilities)


def _check_form(spec: AuditSpec, strategy: Strategy, data: Data) -> None:
    """Refuse what no target of this form can do, as a plan opens none."""
    form = form_of(spec.target)
    if form == "labels" and not strategy.from_pool:
        raise InvalidInput(
            f"strategy '{strategy}' makes inputs of its own, and the target 'labels' knows those of the pool and the "
            "test set alone; choose a strategy that takes members of the pool, or another target."
        )
    network = spec.trains_target or (form == "file" and "target_arch" in file_kind(spec.target).takes)
    pool = data.pool.inputs
    refuse_looks(strategy, spec.target, probabilities=form != "labels", neurons=network and isinstance(pool, Images))


def _check_neurons(spec: AuditSpec, data: Data) -> None:
    """Refuse looks at the neurons of a target before it is trained here: a fresh network has as many."""
    pool = data.pool.inputs
    looking = [strategy for strategy in map(parse, spec.strategies) if "target_traces" in strategy.looks_inside]
    if not looking or not spec.trains_target or not isinstance(pool, Images):
        return
    architecture, classes = spec.target.partition("@")[0], max(2, len(data.classes))
    fresh = new_classifier(architecture, pool.take([0]), classes, rng=np.random.default_rng(0))
    for strategy in looking:
        check_looks(strategy, NetworkTarget(fresh, pool.shape, classes, name=spec.target), pool)


def _check_choice(strategy: Strategy, knowledge: Knowledge, sizes: Sizes) -> None:
    """Refuse choices that are certain to fail, whatever the target answers."""
    chosen = sizes.rounds[1:] if sizes.iterative else sizes.rounds
    for part in parts_of(strategy):
        if isinstance(part, Listed) and (most := part.most(knowledge)) < sum(chosen):
            after = f" after {sizes.rounds[0]} drawn at random" if sizes.iterative else ""
            raise InvalidInput(
                f"the list {part.path} leads to {most} different members of the pool that are free{after}, and "
                f"{sum(chosen)} queries are to be chosen from it; ask for fewer, or add to the list."
            )
    _check_counts(strategy, knowledge, chosen, in_rounds=sizes.iterative)
    _check_groups(strategy, knowledge, chosen[0])


def _check_counts(strategy: Strategy, knowledge: Knowledge, chosen: Sequence[int], *, in_rounds: bool) -> None:
    """Refuse fewer queries, or a shorter shortlist, than there are groups, in any round."""
    groups = 0 if knowledge.labels is None else len(np.unique(knowledge.labels))
    free = len(knowledge.free())
    for k in chosen:
        if _grouped(parts_of(strategy)[-1]) and k < groups:
            what = f"the {k} queries of a round are" if in_rounds else f"the budget of {k} queries is"
            way = "raise the budget or lower rounds" if in_rounds else "raise the budget"
            raise InvalidInput(_too_few(strategy, what, groups, way))
        if isinstance(strategy, Combination) and _grouped(strategy.first):
            rho = strategy.shortlist(k, free, knowledge.budget)
            if rho < groups:
                way = f"give rho={groups} or more" if groups <= free else "lower the budget, as no more are free"
                raise InvalidInput(_too_few(strategy, f"the shortlist of {rho} members is", groups, way))
        free -= k


def _too_few(strategy: Strategy, what: str, groups: int, way: str) -> str:
    return (
        f"strategy '{strategy}' takes at least one of each group, and {what} below the number of groups, {groups}; "
        f"{way}, or leave group=label out."
    )


def _check_groups(strategy: Strategy, knowledge: Knowledge, k: int) -> None:
    """Refuse groups that are too large for a strategy's settings, or too small for their share."""
    first = parts_of(strategy)[0]
    if isinstance(first, Grouped):
        for ids in free_by_group(knowledge, first.group):
            first.check_group(len(ids))
    if isinstance(strategy, Combination):
        # groups among what the first picks are not known, and what it cannot give of one it takes of the others
        if isinstance(strategy.second, Grouped) and not _grouped(strategy.second):
            strategy.second.check_group(strategy.shortlist(k, first.most(knowledge), knowledge.budget))
    elif _grouped(strategy):
        redistribute = bool(getattr(strategy, "redistribute", False))
        by_group(knowledge, k, "label", redistribute, lambda ids, count: ids[:count])
