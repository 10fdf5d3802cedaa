"""Choosing group by group: DRMI's protocol, where the pool's labels are known beforehand (section 5.1)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

import numpy as np

from copycost._types import IntArray
from copycost.datasets import largest_remainder
from copycost.errors import InvalidInput
from copycost.strategies._base import Grouping, Knowledge, Queries, Strategy

__all__ = ["Grouped", "by_group", "free_by_group", "group_sizes"]


class Grouped(Strategy):
    """A strategy over pool members that may choose within each known label; it writes `choose_within`."""

    @property
    @abstractmethod
    def group(self) -> Grouping:
        """Choose within each known label, or among the whole pool."""

    @property
    @abstractmethod
    def redistribute(self) -> bool:
        """Let other groups take what a small group cannot give."""

    @property
    def needs(self) -> frozenset[str]:
        """The pool's labels, where it is grouped by them."""
        return frozenset({"labels"} if self.group == "label" else ())

    def check_group(self, n: int) -> None:
        """Refuse a group of ``n`` free members, or a pool of them, that is too large for its settings.

        Raises
        ------
        InvalidInput
            Never, unless a strategy says more.
        """
        return None

    def choose(self, knowledge: Knowledge, k: int, *, rng: np.random.Generator) -> Queries:
        """Return ``k`` members, group after group."""
        facts = self.facts(knowledge)

        def within(ids: IntArray, count: int) -> IntArray:
            chosen, told = self.choose_and_tell(ids, count, knowledge, rng)
            for name, value in told.items():
                facts[name] = max(value, facts.get(name, value))
            return chosen

        chosen = by_group(knowledge, k, self.group, self.redistribute, within)
        return Queries.members(knowledge.pool, chosen, facts)

    def facts(self, knowledge: Knowledge) -> dict[str, float]:
        """Return what the record is to keep beside the choice; nothing unless a strategy says more."""
        return {}

    def choose_and_tell(
        self, ids: IntArray, count: int, knowledge: Knowledge, rng: np.random.Generator
    ) -> tuple[IntArray, dict[str, float]]:
        """Return what `choose_within` chooses and facts of the choice, of which the record keeps the largest."""
        return self.choose_within(ids, count, knowledge, rng), {}

    @abstractmethod
    def choose_within(self, ids: IntArray, count: int, knowledge: Knowledge, rng: np.random.Generator) -> IntArray:
        """Return ``count`` of the free pool indices ``ids`` (ascending) of one group, or of the whole pool."""


def by_group(
    knowledge: Knowledge,
    k: int,
    group: Grouping,
    redistribute: bool,
    choose: Callable[[IntArray, int], IntArray],
) -> IntArray:
    """Return ``k`` pool indices, chosen within each group in proportion to its size.

    Parameters
    ----------
    knowledge : holds the pool, and its labels where ``group`` is ``label``
    k : number of indices
    group : ``none`` makes one group of the whole pool
    redistribute : give what a group is short of to the others, rather than refuse
    choose : takes the free pool indices of a group (ascending) and a count, returns so many of them

    Raises
    ------
    InvalidInput
        If there are fewer queries than groups, or a group has fewer free images than its share.
    """
    members = free_by_group(knowledge, group)
    if group == "none" or knowledge.labels is None:
        return choose(members[0], k)
    sizes = np.bincount(knowledge.labels, minlength=knowledge.classes)
    groups = np.flatnonzero(sizes)
    if k < len(groups):
        raise InvalidInput(
            f"the budget of {k} queries is below the number of groups, {len(groups)}; ask at least one a group."
        )
    shares = largest_remainder(k, sizes[groups])
    if redistribute:
        shares = _within(shares, np.array([len(ids) for ids in members]))
    for label, ids, share in zip(groups, members, shares, strict=True):
        if share > len(ids):
            raise InvalidInput(
                f"the group of label {label} has {len(ids)} images left and its share is {share}; "
                "lower the budget, or add redistribute=yes to the strategy."
            )
    chosen = [choose(ids, int(share)) for ids, share in zip(members, shares, strict=True) if share]
    return np.concatenate(chosen)


def _within(shares: IntArray, room: IntArray) -> IntArray:
    """Move what exceeds a group's room to the groups that have some left, in proportion to it."""
    given = np.minimum(shares, room)
    while (missing := int(shares.sum() - given.sum())) > 0:
        given = np.minimum(given + largest_remainder(missing, room - given), room)
    return given


def free_by_group(knowledge: Knowledge, group: Grouping) -> list[IntArray]:
    """Return the free pool indices of each group of the pool, ascending; of a group that is used up there are none."""
    free = knowledge.free()
    if group == "none" or knowledge.labels is None:
        return [free]
    return [free[knowledge.labels[free] == label] for label in np.unique(knowledge.labels)]


def group_sizes(knowledge: Knowledge, group: str) -> IntArray:
    """Return how many images of the pool each group has, empty groups left out; for the plan."""
    if group == "none" or knowledge.labels is None:
        return np.array([len(knowledge.pool)])
    sizes = np.bincount(knowledge.labels)
    return sizes[sizes > 0]
