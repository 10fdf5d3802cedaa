"""What a strategy sees and what it returns, with the checks that both are what they say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from copycost._types import ByteArray, Float32Array, IntArray
from copycost.errors import InvalidInput
from copycost.inputs import Images, Inputs
from copycost.oracle import Answers
from copycost.strategies._memo import Memo

if TYPE_CHECKING:
    from copycost.networks import AnyClassifier

__all__ = ["INSIDE", "Grouping", "Knowledge", "Queries", "check_inside", "check_members"]

Grouping = Literal["none", "label"]

INSIDE = frozenset({"target_probabilities", "target_traces"})
"""Needs that no budget pays for: what only the target's owner can look up, for every member of the pool."""


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
    inputs : Inputs or None
        Everything asked so far that the copy is trained on, new inputs among them, in the order asked.
    input_answers : Answers
        To those, in that order.
    target_probabilities : float32 array (n, classes) or None
        The target's own probabilities of every member of the pool: a look inside that no budget pays for, supplied
        where a strategy declares it and counted in the record.
    target_traces : uint8 array (n, bytes) or None
        Which neurons of the target every member activates, eight to a byte; the same.
    target_layers : tuple of int
        Neurons of each of the layers whose states those bits are, in their order; empty where it is not known.
    candidates : int64 array or None
        Pool indices that may be chosen now, ascending; None for all. The second strategy of a combination sees those
        that the first has picked.
    compared : Images or None
        The pool's images as they are to be compared with each other, such as before they were resized; None where that
        is as they are asked.
    numbering : int64 array or None
        The pool index of every input of the pool as it was loaded, where some were left out since: one that repeats an
        earlier input has the earlier one's. None where the pool is numbered as it was loaded.
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
    inputs: Inputs | None = None
    input_answers: Answers = field(default_factory=lambda: Answers(np.zeros(0, np.int64)))
    target_probabilities: Float32Array | None = None
    target_traces: ByteArray | None = None
    target_layers: tuple[int, ...] = ()
    candidates: IntArray | None = None
    compared: Images | None = None
    numbering: IntArray | None = None
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

    def keep(self, rows: Sequence[int]) -> Queries:
        """Return the queries at ``rows``; the others are counted as dropped duplicates."""
        kept = np.array(rows, dtype=np.int64)
        return Queries(
            self.inputs.take(kept),
            self.pool_index[kept],
            self.parent[kept],
            self.dropped + len(self) - len(kept),
            self.facts,
        )

    def __len__(self) -> int:
        """Return the number of queries."""
        return len(self.pool_index)


def check_inside(knowledge: Knowledge) -> None:
    """Refuse looks inside the target that are not one row a pool member."""
    size, rows, bits = len(knowledge.pool), knowledge.target_probabilities, knowledge.target_traces
    if rows is not None and (rows.shape != (size, knowledge.classes) or not np.isfinite(rows).all()):
        raise InvalidInput(
            f"target_probabilities have shape {rows.shape}, or are not finite; a finite row of {knowledge.classes} for "
            f"each of {size} inputs is needed."
        )
    if bits is not None and (bits.ndim != 2 or len(bits) != size or not bits.shape[1] or bits.dtype != np.uint8):
        raise InvalidInput(
            f"target_traces have shape {bits.shape} and dtype {bits.dtype}; uint8 of shape ({size}, bytes) is needed, "
            "eight neurons to a byte (numpy.packbits)."
        )
    neurons = sum(knowledge.target_layers)
    if bits is not None and neurons and bits.shape[1] != -(-neurons // 8):
        raise InvalidInput(
            f"target_layers have {neurons} neurons and target_traces {bits.shape[1]} bytes; {-(-neurons // 8)} are "
            "needed, eight neurons to a byte."
        )


def check_members(what: str, index: IntArray, size: int) -> None:
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
