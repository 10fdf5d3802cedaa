"""What every strategy is: a choice, and the checks that hold for all of them."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from typing import ClassVar, final

import numpy as np

from copycost.errors import InvalidInput
from copycost.strategies._knowledge import INSIDE, Grouping, Knowledge, Queries, check_inside, check_members

__all__ = ["INSIDE", "Grouping", "Knowledge", "Queries", "Strategy"]

_COMPARED = 1024  # inputs looked at together
_WAYS = {
    "labels": ", or for labels a pool that carries them",
    "target_probabilities": ", or a target that gives probabilities",
    "target_traces": ", or a target whose network is at hand: an architecture with its weights",
}
"""What else can be done where a need is not met."""


class Strategy(ABC):
    """Chooses queries. A subclass is a frozen dataclass of its parameters and writes `choose`.

    A subclass gives ``name``, ``source`` and, where they differ, ``media`` and ``from_pool`` as class variables.
    """

    from_pool: ClassVar[bool] = True
    """Whether it takes members of the pool; one that makes inputs can give more than the pool holds."""

    @property
    @abstractmethod
    def name(self) -> str:
        """As users write it."""

    @property
    @abstractmethod
    def source(self) -> str:
        """Paper and section."""

    @property
    def media(self) -> frozenset[str]:
        """Media it can handle."""
        return frozenset({"image", "text"})

    @property
    def needs(self) -> frozenset[str]:
        """What it must be given beyond answers, such as ``labels``; shown in every record."""
        return frozenset()

    @property
    def looks_inside(self) -> frozenset[str]:
        """Those of its needs that are looks inside the target, one at each member of the pool, paid by no budget."""
        return self.needs & INSIDE

    @property
    def iterative(self) -> bool:
        """Whether it chooses round by round, looking at the copy in between; otherwise it asks all at once."""
        return "substitute" in self.needs

    def round_sizes(self, total: int, rounds: int, start: int | None = None) -> tuple[int, ...]:
        """Return how many queries each round asks: as equal as can be, the first ones larger by one.

        Parameters
        ----------
        total : queries of all rounds together
        rounds : how many rounds there are, or at most may be
        start : queries of the random start before them, where it is known; here it makes no difference

        Raises
        ------
        InvalidInput
            If there are fewer queries than rounds, or its settings cannot make a choice of that size.
        """
        sizes = self.equal_rounds(total, rounds)
        self.check_count(sizes[0], total)
        return sizes

    @final
    def equal_rounds(self, total: int, rounds: int) -> tuple[int, ...]:
        """Return ``rounds`` numbers with the sum ``total``, as equal as can be; refuse fewer queries than rounds."""
        if total < rounds:
            raise InvalidInput(
                f"{total} queries are left for {rounds} rounds of strategy '{self}'; at least one a round is needed: "
                "raise the budget, or lower rounds, seed_share or validation_share."
            )
        return tuple(total // rounds + (number < total % rounds) for number in range(rounds))

    @abstractmethod
    def choose(self, knowledge: Knowledge, k: int, *, rng: np.random.Generator) -> Queries:
        """Return ``k`` queries; the base class has checked that they can be had."""

    def seconds(self, knowledge: Knowledge, k: int) -> float:
        """Return roughly how many seconds `choose` takes on one core, for the plan; 0 where it is not worth saying."""
        return 0.0

    def most(self, knowledge: Knowledge) -> int:
        """Return how many members it can give now, at most: all that are free, unless it is bounded itself."""
        return len(knowledge.free())

    @final
    def select(self, knowledge: Knowledge, k: int, *, rng: np.random.Generator) -> Queries:
        """Check, choose, and check again.

        Raises
        ------
        InvalidInput
            If the pool is of a medium it does not handle, something it needs is missing, or ``k`` queries
            cannot be had.
        RuntimeError
            If the strategy itself breaks its contract, which is a defect of the strategy.
        """
        self._check_request(knowledge, k)
        queries = self.choose(self._allowed(knowledge), k, rng=rng)
        self._check_queries(knowledge, queries)
        queries = _without_duplicates(queries)
        if len(queries) + queries.dropped != k:
            raise RuntimeError(f"strategy {self.name} returned {len(queries)} queries where {k} were asked")
        return queries

    def _allowed(self, knowledge: Knowledge) -> Knowledge:
        """Leave out what the strategy does not declare, so that a record never understates what was known."""
        needs = self.needs
        return dataclasses.replace(
            knowledge,
            labels=knowledge.labels if "labels" in needs else None,
            substitute=knowledge.substitute if "substitute" in needs else None,
            target_probabilities=knowledge.target_probabilities if "target_probabilities" in needs else None,
            target_traces=knowledge.target_traces if "target_traces" in needs else None,
            target_layers=knowledge.target_layers if "target_traces" in needs else (),
        )

    def check_count(self, k: int, free: int) -> None:
        """Refuse a choice of ``k`` among ``free`` pool members that its settings cannot make, before anything is paid.

        Raises
        ------
        InvalidInput
            If ``k`` is below 1, or more than can be had.
        """
        if k < 1 or (self.from_pool and k > free):
            allowed = f"1 to {free} is allowed" if free else "it can give none"
            raise InvalidInput(
                f"strategy {self.name} is asked for {k} queries; the pool has {free} left, so {allowed}."
                if self.from_pool
                else f"strategy {self.name} is asked for {k} queries; 1 or more is allowed."
            )

    def check_rounds(self, start: int, total: int) -> None:
        """Refuse rounds that choose ``total`` members after ``start`` drawn at random, before anything is paid.

        Raises
        ------
        InvalidInput
            If a part of the strategy cannot last for as many.
        """
        return None

    def _check_request(self, knowledge: Knowledge, k: int) -> None:
        if knowledge.pool.medium not in self.media:
            raise InvalidInput(
                f"strategy {self.name} handles {', '.join(sorted(self.media))}; the pool holds "
                f"{knowledge.pool.medium}. Choose another strategy or another pool."
            )
        for need in sorted(self.needs):
            if getattr(knowledge, need, None) is None:
                way = _WAYS.get(need, "")
                raise InvalidInput(f"strategy '{self}' needs {need}, and none are given; choose another strategy{way}.")
        labels, size = knowledge.labels, len(knowledge.pool)
        if labels is not None and (labels.shape != (size,) or (size and labels.min() < 0)):
            raise InvalidInput(
                f"the pool's labels have shape {labels.shape}; one label of 0 or more for each of {size} "
                "inputs is needed."
            )
        check_inside(knowledge)
        check_members("asked", knowledge.asked, size)
        if knowledge.candidates is not None:
            check_members("candidates", knowledge.candidates, size)
        self.check_count(k, len(knowledge.free()))

    def _check_queries(self, knowledge: Knowledge, queries: Queries) -> None:
        index, size = queries.pool_index, len(knowledge.pool)
        members = index[index >= 0]
        if len(queries.inputs) != len(index) or len(queries.parent) != len(index):
            raise RuntimeError(f"strategy {self.name} returned parts of different lengths")
        for named in (index, queries.parent):
            if len(named) and (named.min() < -1 or named.max() >= size):
                raise RuntimeError(f"strategy {self.name} returned a pool index beyond the pool")
        if len(np.unique(members)) != len(members) or np.isin(members, knowledge.asked).any():
            raise RuntimeError(f"strategy {self.name} returned a pool member twice")
        if not np.isin(members, knowledge.free()).all():
            raise RuntimeError(f"strategy {self.name} returned a pool member that is not a candidate")
        placed = np.flatnonzero(index >= 0)
        for start in range(0, len(placed), _COMPARED):  # a copy of all of them might not fit into memory
            rows = placed[start : start + _COMPARED]
            if queries.inputs.take(rows).digests() != knowledge.pool.take(index[rows]).digests():
                raise RuntimeError(f"strategy {self.name} returned inputs that are not those of their pool index")

    def __str__(self) -> str:
        pairs = []
        for item in dataclasses.fields(self):  # type: ignore[arg-type]
            value = getattr(self, item.name)
            if value != item.default:
                pairs.append(f"{item.name}={_written(value)}")
        return " ".join([self.name, *pairs])


def _written(value: object) -> str:
    if value is None:
        return "all"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        short = f"{value:g}"
        return short if float(short) == value else repr(value)
    return str(value)


def _without_duplicates(queries: Queries) -> Queries:
    """Drop new inputs that repeat another query of the same choice; pool members always stay."""
    new = queries.pool_index < 0
    if not new.any():
        return queries
    digests = queries.inputs.digests()
    seen = {digests[row] for row in np.flatnonzero(~new)}
    keep = []
    for row, digest in enumerate(digests):
        if not new[row] or digest not in seen:
            keep.append(row)
        seen.add(digest)
    return queries.keep(keep)
