"""What a strategy sees, what it returns, and the checks that hold for all of them."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal, final

import numpy as np

from copycost._types import IntArray
from copycost.errors import InvalidInput
from copycost.inputs import Inputs
from copycost.oracle import Answers
from copycost.strategies._memo import Memo

if TYPE_CHECKING:
    from copycost.networks import Classifier

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
        Pool indices asked so far.
    answers : Answers
        To those, in that order.
    labels : int64 array (n,) or None
        The pool's own labels, supplied where a strategy declares the need ``labels``.
    substitute : Classifier or None
        Supplied where it declares ``substitute``.
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
    substitute: Classifier | None = None
    memo: Memo = field(default_factory=Memo)
    report: Callable[[str, float], None] = lambda what, share: None

    def free(self) -> IntArray:
        """Return the pool indices not asked yet, ascending."""
        return np.setdiff1d(np.arange(len(self.pool)), self.asked)


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
    """

    inputs: Inputs
    pool_index: IntArray
    parent: IntArray
    dropped: int = 0

    @classmethod
    def members(cls, pool: Inputs, indices: IntArray) -> Queries:
        """Return the pool members at ``indices`` as queries."""
        indices = np.asarray(indices, dtype=np.int64)
        return cls(pool.take(indices), indices, np.full(len(indices), -1, np.int64))

    def __len__(self) -> int:
        """Return the number of queries."""
        return len(self.pool_index)


class Strategy(ABC):
    """Chooses queries. A subclass is a frozen dataclass of its parameters and writes `choose`.

    Attributes
    ----------
    name : str
        As users write it.
    media : frozenset of str
        Media it can handle.
    source : str
        Paper and section.
    """

    name: ClassVar[str]
    media: ClassVar[frozenset[str]] = frozenset({"image", "text"})
    source: ClassVar[str]

    @property
    def needs(self) -> frozenset[str]:
        """What it must be given beyond answers, such as ``labels``; shown in every record."""
        return frozenset()

    @abstractmethod
    def choose(self, knowledge: Knowledge, k: int, *, rng: np.random.Generator) -> Queries:
        """Return ``k`` queries; the base class has checked that they can be had."""

    @final
    def select(self, knowledge: Knowledge, k: int, *, rng: np.random.Generator) -> Queries:
        """Check, choose, and check again.

        Raises
        ------
        InvalidInput
            If the pool is of a medium it does not handle, something it needs is missing, or ``k`` queries cannot be had.
        RuntimeError
            If the strategy itself breaks its contract, which is a defect of the strategy.
        """
        self._check_request(knowledge, k)
        queries = _without_duplicates(self.choose(knowledge, k, rng=rng))
        self._check_queries(knowledge, k, queries)
        return queries

    def _check_request(self, knowledge: Knowledge, k: int) -> None:
        if knowledge.pool.medium not in self.media:
            raise InvalidInput(
                f"strategy {self.name} handles {', '.join(sorted(self.media))}; the pool holds {knowledge.pool.medium}."
            )
        for need, given in (("labels", knowledge.labels), ("substitute", knowledge.substitute)):
            if need in self.needs and given is None:
                raise InvalidInput(f"strategy '{self}' needs {need}, and the pool has none; choose another strategy or a labelled pool.")
        free = len(knowledge.pool) - len(np.unique(knowledge.asked))
        if k < 1 or k > free:
            raise InvalidInput(f"strategy {self.name} is asked for {k} queries; the pool has {free} left, so 1 to {free} is allowed.")

    def _check_queries(self, knowledge: Knowledge, k: int, queries: Queries) -> None:
        index = queries.pool_index
        members = index[index >= 0]
        if len(queries.inputs) != len(index) or len(queries.parent) != len(index):
            raise RuntimeError(f"strategy {self.name} returned parts of different lengths")
        if len(index) + queries.dropped != k:
            raise RuntimeError(f"strategy {self.name} returned {len(index)} queries where {k} were asked")
        if len(np.unique(members)) != len(members) or np.isin(members, knowledge.asked).any():
            raise RuntimeError(f"strategy {self.name} returned a pool member twice")
        if len(members) and members.max() >= len(knowledge.pool):
            raise RuntimeError(f"strategy {self.name} returned a pool index beyond the pool")

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
    return f"{value:g}" if isinstance(value, float) else str(value)


def _without_duplicates(queries: Queries) -> Queries:
    """Drop new inputs that repeat an earlier query of the same choice; pool members always stay."""
    if (queries.pool_index >= 0).all():
        return queries
    seen: set[bytes] = set()
    keep = []
    for row, (digest, index) in enumerate(zip(queries.inputs.digests(), queries.pool_index, strict=True)):
        if index >= 0 or digest not in seen:
            keep.append(row)
        seen.add(digest)
    rows = np.array(keep, dtype=np.int64)
    return Queries(queries.inputs.take(rows), queries.pool_index[rows], queries.parent[rows], len(queries) - len(rows))
