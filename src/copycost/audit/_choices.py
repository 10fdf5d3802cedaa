"""What a strategy cannot choose of a pool, found out before anything is asked."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import numpy as np

from copycost.audit._scenario import Data
from copycost.audit._spec import AuditSpec
from copycost.errors import InvalidInput
from copycost.extraction import validation_rows
from copycost.strategies import Knowledge, Strategy, parse
from copycost.strategies._combination import Combination
from copycost.strategies._groups import by_group
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
        are free, there are fewer queries than groups, or a group is too small for its share.
    """
    for text in spec.strategies:
        strategy = parse(text)
        _check_labels(strategy, data)
        if not any(isinstance(part, Listed) or _grouped(part) for part in parts_of(strategy)):
            continue
        for budget in spec.budgets:
            sizes = spec.shares().sizes(strategy, budget)
            for seed in seeds if sizes.validation else (0,):
                taken = validation_rows(sizes.validation, len(data.pool.inputs), seed=seed, budget=budget)
                knowledge = _beforehand(data, budget, taken.tolist())
                _check_choice(strategy, knowledge, sum(sizes.rounds[1:] if sizes.iterative else sizes.rounds))


def _beforehand(data: Data, budget: int, taken: list[int]) -> Knowledge:
    pool = data.pool
    return Knowledge(
        pool.inputs,
        max(2, len(data.classes)),
        labels=pool.labels,
        candidates=np.setdiff1d(np.arange(len(pool.inputs)), taken),
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


def _check_choice(strategy: Strategy, knowledge: Knowledge, k: int) -> None:
    """Refuse a choice of ``k`` that is certain to fail, whatever the target answers."""
    first, *rest = parts_of(strategy)
    for part in (first, *rest):
        if isinstance(part, Listed) and (most := part.most(knowledge)) < k:
            raise InvalidInput(
                f"the list {part.path} leads to {most} different members of the pool that are free, and {k} queries "
                "are to be chosen from it; ask for fewer, or add to the list."
            )
    if not rest and _grouped(first):
        redistribute = bool(getattr(first, "redistribute", False))
        by_group(knowledge, k, "label", redistribute, lambda ids, count: ids[:count])
