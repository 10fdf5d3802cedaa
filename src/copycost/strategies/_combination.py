"""A combination: one strategy makes a shortlist, another chooses from it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from copycost.errors import InvalidInput
from copycost.strategies._base import Knowledge, Queries, Strategy
from copycost.strategies._memo import Memo

__all__ = ["Combination"]


@dataclass(frozen=True)
class Combination(Strategy):
    """``first`` picks rho members, ``second`` chooses among them (ActiveThief, section 4.2).

    Written ``FIRST + SECOND [rho=N]``.

    Both see the same copy and the same members asked. The record keeps the facts of both (those of ``first`` where
    both tell the same) and ``rho``, the length of the shortlist.

    Where ``first`` chooses group by group, its shortlist holds of each group in proportion, and what a group cannot
    give is taken from the others, with or without ``redistribute``: what ``second`` leaves of a group in earlier rounds
    hangs on the answers, and nothing that was paid for is to end in a refusal.

    Attributes
    ----------
    first, second : Strategy
        Any two that choose members of the pool; neither a combination itself.
    rho : int or None
        Size of the shortlist; None for the whole budget, as in the paper. Never fewer than are to be chosen, and never
        more than ``first`` can give: what is free, or what is left of a list.

    Raises
    ------
    InvalidInput
        If one of the two is a combination or makes inputs, they handle no medium in common, or rho is below 1.
    """

    first: Strategy
    second: Strategy
    rho: int | None = None

    def __post_init__(self) -> None:
        for strategy in (self.first, self.second):
            if isinstance(strategy, Combination):
                raise InvalidInput(f"'{self}' combines more than two strategies; write it as FIRST + SECOND.")
            if not strategy.from_pool:
                raise InvalidInput(
                    f"'{self}' combines strategy {strategy.name}, which makes inputs; two that choose members of the "
                    "pool are needed."
                )
        if not self.media:
            raise InvalidInput(f"'{self}' combines strategies of different media; two for the same one are needed.")
        if self.rho is not None and self.rho < 1:
            raise InvalidInput(f"rho is {self.rho} in '{self}'; 1 or more is needed, or leave it out.")

    @property
    def name(self) -> str:
        """The two names, without parameters."""
        return f"{self.first.name} + {self.second.name}"

    @property
    def source(self) -> str:
        """Sources of both, and of combining them."""
        return f"ActiveThief, section 4.2; first: {self.first.source}; second: {self.second.source}"

    @property
    def media(self) -> frozenset[str]:
        """Media that both can handle."""
        return self.first.media & self.second.media

    @property
    def needs(self) -> frozenset[str]:
        """What either needs."""
        return self.first.needs | self.second.needs

    def round_sizes(self, total: int, rounds: int, start: int | None = None) -> tuple[int, ...]:
        """Return rounds as equal as can be; no file is read, as records are also opened where a list is gone.

        Raises
        ------
        InvalidInput
            If there are fewer queries than rounds, or the shortlist is shorter than a round.
        """
        sizes = self.equal_rounds(total, rounds)
        self._check_shortlist(sizes[0])
        return sizes

    def check_count(self, k: int, free: int) -> None:
        """Refuse also what either part refuses, and a shortlist that is shorter than what is to be chosen from it."""
        super().check_count(k, free)
        self._check_shortlist(k)
        self.first.check_count(k, free)
        self.second.check_count(k, free)

    def check_rounds(self, start: int, total: int) -> None:
        """Refuse a part that cannot last for all rounds, as a list may not.

        A random start may take what such a part would give, so that it must hold as many more.
        """
        asked = start + total
        for part in (self.first, self.second):
            try:
                part.check_count(asked, asked)
            except InvalidInput as error:
                raise InvalidInput(
                    f"strategy '{self}' chooses {total} queries in its rounds after {start} drawn at random, which may "
                    f"be any, so that {part.name} must be able to give {asked}: {error}"
                ) from None

    def _check_shortlist(self, k: int) -> None:
        if self.rho is not None and self.rho < k:
            raise InvalidInput(
                f"strategy '{self}' is asked for {k} queries and its first part picks {self.rho}; raise rho to {k} or "
                "more, leave it out (the whole budget), or ask fewer queries in a round."
            )

    def choose(self, knowledge: Knowledge, k: int, *, rng: np.random.Generator) -> Queries:
        """Return the ``k`` members that ``second`` chooses of those that ``first`` picks."""
        rho = self.shortlist(k, self.first.most(knowledge), knowledge.budget)
        unshared = Memo()  # what is picked by the answers comes up once, and is not worth a file
        picking = dataclasses.replace(knowledge, memo=unshared) if self.iterative else knowledge
        picked = _redistributing(self.first).select(picking, rho, rng=rng)
        shortlist = dataclasses.replace(knowledge, candidates=np.sort(picked.pool_index), memo=unshared)
        chosen = self.second.select(shortlist, k, rng=rng)
        facts = {**chosen.facts, **picked.facts, "rho": rho}
        return dataclasses.replace(chosen, facts=facts)

    def shortlist(self, k: int, most: int, budget: int) -> int:
        """Return how many ``first`` picks: rho or the whole budget, at most what it can give, though at least ``k``.

        Parameters
        ----------
        k : how many ``second`` is to choose
        most : how many ``first`` can give
        budget : queries of the whole extraction
        """
        return max(k, min(most, budget if self.rho is None else self.rho))

    def seconds(self, knowledge: Knowledge, k: int) -> float:
        """Return the time of both, the second's over a pool as long as the shortlist."""
        pool, labels = knowledge.pool, knowledge.labels
        rho = min(len(pool), self.shortlist(k, len(pool), knowledge.budget))
        smaller = dataclasses.replace(
            knowledge, pool=pool.take(np.arange(rho)), labels=None if labels is None else labels[:rho]
        )
        return self.first.seconds(knowledge, rho) + self.second.seconds(smaller, k)

    def __str__(self) -> str:
        both = f"{self.first} + {self.second}"
        return both if self.rho is None else f"{both} rho={self.rho}"


def _redistributing(strategy: Strategy) -> Strategy:
    """Return a strategy whose other groups take what a small group cannot give, where it chooses by groups."""
    if getattr(strategy, "group", "none") == "none" or getattr(strategy, "redistribute", True):
        return strategy
    return dataclasses.replace(strategy, redistribute=True)  # type: ignore[type-var]
