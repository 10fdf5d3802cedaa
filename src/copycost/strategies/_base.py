"""What a strategy sees, what it returns, and the checks that hold for all of them."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal, final

import numpy as np

from copycost._types import IntArray
from copycost.errors import InvalidInput
from copycost.inputs import Inputs
from copycost.oracle import Answers
from copycost.strategies._memo import Memo

if TYPE_CHECKING:
    from copycost.networks import AnyClassifier

__all__ = ["Grouping", "Knowledge", "Queries", "Strategy"]

Grouping = Literal["none", "label"]


@dataclass(frozen=True)
class Knowledge:
    """All that a strategy may see.

    Attributes
    ----------
    pool : Inputs
        The n inputs it may query with.
    classes : int
        How many classes the target has.
    asked : int64 array
        Pool indices asked so far, in the order asked; new inputs are not among them.
    answers : Answers
        To those, in that order.
    labels : int64 array (n,) or None
        The pool's own labels, supplied where a strategy declares the need ``labels``.
    substitute : Classifier or None
        The copy as the round before left it, supplied where it declares ``substitute``.
    candidates : int64 array or None
        Pool indices that may be chosen now, ascending; None for all. The second strategy of a combination sees those
        that the first has picked.
    budget : int
        Queries that the whole extraction may ask, those of earlier rounds and the validation share included.
    memo : Memo
        Keeps what depends on the pool alone.
    report : callable
        Takes (what runs, share done).
    """

    pool: Inputs
    classes: int
    asked: IntArray = field(default_factory=lambda: np.zeros(0, np.int64))
    answers: Answers = field(default_factory=lambda: Answers(np.zeros(0, np.int64)))
    labels: IntArray | None = None
    substitute: AnyClassifier | None = None
    candidates: IntArray | None = None
    budget: int = 0
    memo: Memo = field(default_factory=Memo)
    report: Callable[[str, float], None] = lambda what, share: None

    def free(self) -> IntArray:
        """Return the pool indices that may be chosen: candidates not asked yet, ascending."""
        candidates = np.arange(len(self.pool)) if self.candidates is None else self.candidates
        return np.setdiff1d(candidates, self.asked)


@dataclass(frozen=True)
class Queries:
    """Queries a strategy wants asked.

    Attributes
    ----------
    inputs : Inputs
        k of them.
    pool_index : int64 array (k,)
        Where each stands in the pool, -1 for a new input.
    parent : int64 array (k,)
        Pool index a new input was made from, -1 where there is none.
    dropped : int
        New inputs left out as duplicates.
    facts : mapping of str to number
        What the record is to keep of this choice, such as how many attacks did not converge.
    """

    inputs: Inputs
    pool_index: IntArray
    parent: IntArray
    dropped: int = 0
    facts: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def members(cls, pool: Inputs, indices: IntArray, facts: Mapping[str, float] | None = None) -> Queries:
        """Return the pool members at ``indices`` as queries."""
        indices = np.asarray(indices, dtype=np.int64)
        return cls(pool.take(indices), indices, np.full(len(indices), -1, np.int64), facts=facts or {})

    def __len__(self) -> int:
        """Return the number of queries."""
        return len(self.pool_index)


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
    def iterative(self) -> bool:
        """Whether it chooses round by round, looking at the copy in between; otherwise it asks all at once."""
        return "substitute" in self.needs

    def round_sizes(self, total: int, rounds: int) -> tuple[int, ...]:
        """Return how many queries each round asks: as equal as can be, the first ones larger by one.

        Raises
        ------
        InvalidInput
            If there are fewer queries than rounds, or its settings cannot make a choice of that size.
        """
        if total < rounds:
            raise InvalidInput(
                f"{total} queries are left for {rounds} rounds of strategy '{self}'; at least one a round is needed: "
                "raise the budget, or lower rounds, seed_share or validation_share."
            )
        sizes = tuple(total // rounds + (number < total % rounds) for number in range(rounds))
        self.check_count(sizes[0], total)
        return sizes

    @abstractmethod
    def choose(self, knowledge: Knowledge, k: int, *, rng: np.random.Generator) -> Queries:
        """Return ``k`` queries; the base class has checked that they can be had."""

    def seconds(self, knowledge: Knowledge, k: int) -> float:
        """Return roughly how many seconds `choose` takes on one core, for the plan; 0 where it is not worth saying."""
        return 0.0

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

    def _check_request(self, knowledge: Knowledge, k: int) -> None:
        if knowledge.pool.medium not in self.media:
            raise InvalidInput(
                f"strategy {self.name} handles {', '.join(sorted(self.media))}; the pool holds "
                f"{knowledge.pool.medium}. Choose another strategy or another pool."
            )
        for need in sorted(self.needs):
            if getattr(knowledge, need, None) is None:
                raise InvalidInput(
                    f"strategy '{self}' needs {need}, and none are given; choose another strategy, "
                    "or for labels a pool that carries them."
                )
        labels, size = knowledge.labels, len(knowledge.pool)
        if labels is not None and (labels.shape != (size,) or (size and labels.min() < 0)):
            raise InvalidInput(
                f"the pool's labels have shape {labels.shape}; one label of 0 or more for each of {size} "
                "inputs is needed."
            )
        _check_members("asked", knowledge.asked, size)
        if knowledge.candidates is not None:
            _check_members("candidates", knowledge.candidates, size)
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
        own = queries.inputs.take(np.flatnonzero(index >= 0))
        if own.digests() != knowledge.pool.take(members).digests():
            raise RuntimeError(f"strategy {self.name} returned inputs that are not those of their pool index")

    def __str__(self) -> str:
        pairs = []
        for item in dataclasses.fields(self):  # type: ignore[arg-type]
            value = getattr(self, item.name)
            if value != item.default:
                pairs.append(f"{item.name}={_written(value)}")
        return " ".join([self.name, *pairs])


def _check_members(what: str, index: IntArray, size: int) -> None:
    """Refuse what are not pool indices, such as the -1 of a new input."""
    if index.ndim != 1 or index.dtype.kind not in "iu":
        raise InvalidInput(
            f"{what} have shape {index.shape} and dtype {index.dtype}; pool indices in one dimension are needed. "
            "Turn a mask into them with numpy.flatnonzero."
        )
    if len(index) and (index.min() < 0 or index.max() >= size):
        raise InvalidInput(
            f"{what} go from {index.min()} to {index.max()}; 0 to {size - 1} is allowed. Leave new inputs out."
        )
    if len(np.unique(index)) != len(index):
        raise InvalidInput(f"{what} are {len(index)} indices of {len(np.unique(index))} pool members; name each once.")


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
    rows = np.array(keep, dtype=np.int64)
    return Queries(
        queries.inputs.take(rows),
        queries.pool_index[rows],
        queries.parent[rows],
        queries.dropped + len(queries) - len(rows),
        queries.facts,
    )
