"""Uncertainty: the queries that the copy is least sure of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from copycost._types import AnyArray, FloatArray
from copycost.strategies._base import Knowledge, Queries, Strategy
from copycost.strategies._substitute import probabilities

__all__ = ["Uncertainty"]


@dataclass(frozen=True)
class Uncertainty(Strategy):
    """The free members on which the copy is least certain, the least certain first; the lowest index wins ties.

    Attributes
    ----------
    measure : {"entropy", "least-confidence"}
        Entropy of the copy's probabilities in nats, or 1 less the largest of them.
    """

    name: ClassVar[str] = "uncertainty"
    source: ClassVar[str] = "ActiveThief, section 4.1, uncertainty strategy (Lewis and Gale 1994)"

    measure: Literal["entropy", "least-confidence"] = "entropy"

    @property
    def needs(self) -> frozenset[str]:
        """The copy of the round before."""
        return frozenset({"substitute"})

    def choose(self, knowledge: Knowledge, k: int, *, rng: np.random.Generator) -> Queries:
        """Return the ``k`` least certain members; nothing is drawn."""
        free = knowledge.free()
        rows = probabilities(knowledge, free)
        doubts = _entropy(rows) if self.measure == "entropy" else -rows.max(axis=1)
        return Queries.members(knowledge.pool, free[np.argsort(-doubts, kind="stable")[:k]])


def _entropy(rows: AnyArray) -> FloatArray:
    """Return the entropy of each row in nats; a probability of 0 adds nothing."""
    logarithms = np.log(np.where(rows > 0, rows, 1), dtype=np.float64)
    entropy: FloatArray = -(rows * logarithms).sum(axis=1)
    return entropy
