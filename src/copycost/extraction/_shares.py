"""How a budget is shared out between validation, the random start and the rounds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from copycost._streams import stream
from copycost._types import IntArray
from copycost.errors import InvalidInput
from copycost.strategies import Strategy

__all__ = ["Shares", "Sizes", "start_rows", "validation_rows"]


def validation_rows(count: int, pool: int, *, seed: int, budget: int) -> IntArray:
    """Return which of a pool of so many inputs validate, ascending: the same ones for all strategies."""
    rng = stream(seed, "validation queries", budget)
    return np.sort(rng.choice(pool, count, replace=False)).astype(np.int64) if count else np.zeros(0, np.int64)


def start_rows(count: int, free: IntArray, *, seed: int, budget: int) -> IntArray:
    """Return which of the free members start an iterative strategy, ascending: the same ones for all of them."""
    return np.sort(stream(seed, "seed queries", budget).choice(free, count, replace=False)).astype(np.int64)


@dataclass(frozen=True)
class Sizes:
    """Queries of one extraction: those that validate, and those of each round; the first round of several is random."""

    validation: int
    rounds: tuple[int, ...]

    @property
    def iterative(self) -> bool:
        """Whether there is a random start and a copy to look at after it."""
        return len(self.rounds) > 1

    def check(self, strategy: Strategy, pool: int) -> None:
        """Refuse rounds that a strategy cannot fill from a pool of so many inputs, before anything is charged.

        Raises
        ------
        InvalidInput
            If the pool is too small, or the strategy's own settings forbid a choice of such a size.
        """
        total = self.validation + sum(self.rounds)
        free = pool - self.validation
        if free < 0 or (strategy.from_pool and total > pool):
            raise InvalidInput(f"a budget of {total} queries exceeds the pool of {pool}; lower it or widen the pool.")
        if self.iterative:
            strategy.check_rounds(self.rounds[0], sum(self.rounds[1:]))
        for number, count in enumerate(self.rounds):
            if not (self.iterative and number == 0):
                strategy.check_count(count, free)
            free -= count if strategy.from_pool else 0


@dataclass(frozen=True)
class Shares:
    """The same for all strategies that an audit compares (ActiveThief, Algorithm 1).

    Attributes
    ----------
    rounds : int
        N, rounds of an iterative strategy after its random start; all others ask everything at once.
    seed_share : float
        k0 / B, share of the budget that starts an iterative strategy, drawn at random.
    validation_share : float
        eta, share of the budget that is drawn at random, charged like the rest, and tells which epoch was best.
    """

    rounds: int = 10
    seed_share: float = 0.1
    validation_share: float = 0.0

    def __post_init__(self) -> None:
        if self.rounds < 1:
            raise InvalidInput(f"rounds is {self.rounds}; 1 or more is needed.")
        if not 0 < self.seed_share < 1:
            raise InvalidInput(
                f"seed_share is {self.seed_share:g}; a share above 0 and below 1 is needed, such as 0.1."
            )
        if not 0 <= self.validation_share < 1:
            raise InvalidInput(
                f"validation_share is {self.validation_share:g}; 0, or a share below 1 such as 0.2, is needed."
            )

    def sizes(self, strategy: Strategy, budget: int) -> Sizes:
        """Return how many queries of ``budget`` go where; they add up to it.

        Raises
        ------
        InvalidInput
            If the budget is too small for its shares.
        """
        validation = round(self.validation_share * budget)
        if self.validation_share and not validation:
            raise InvalidInput(
                f"a validation_share of {self.validation_share:g} of {budget} queries is none; raise the budget or the "
                "share."
            )
        left = budget - validation
        if left < 1:
            raise InvalidInput(
                f"a validation_share of {self.validation_share:g} of {budget} queries leaves none to train on; raise "
                "the budget or lower the share."
            )
        if not strategy.iterative:
            return Sizes(validation, (left,))
        start = round(self.seed_share * budget)
        if not 0 < start < left:
            raise InvalidInput(
                f"a seed_share of {self.seed_share:g} of {budget} queries is {start} of the {left} to train on; both "
                "the random start and the rounds need some: change the budget or the shares."
            )
        sizes = strategy.round_sizes(left - start, self.rounds, start)
        if sum(sizes) != left - start or min(sizes) < 1:
            raise RuntimeError(f"strategy {strategy} shares {left - start} queries out as {sizes}")
        return Sizes(validation, (start, *sizes))
