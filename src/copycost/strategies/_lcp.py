"""LCP: the queries that the target classifies correctly and is least sure of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from copycost._types import IntArray
from copycost.strategies._base import Grouping, Knowledge
from copycost.strategies._confidence import ByConfidence, confidences

__all__ = ["LCP"]


@dataclass(frozen=True)
class LCP(ByConfidence):
    """The members that the target classifies correctly with the lowest probability, from low to high.

    Correct is the pool's own label. It looks inside the target. Where there are not as many, those that the
    target gets wrong follow, the nearest to correct first; the record counts them. The lowest index wins ties.

    Attributes
    ----------
    group : {"none", "label"}
        Choose within each known label, the paper's protocol, or among the whole pool.
    redistribute : bool
        Let other groups take what a small group cannot give.
    """

    name: ClassVar[str] = "lcp"
    source: ClassVar[str] = "DRMI, section 5.4.2, Table 12"

    group: Grouping = "none"
    redistribute: bool = False

    def order(self, knowledge: Knowledge, ids: IntArray) -> IntArray:
        """Return ``ids``, the correct ones from low to high, then the others from high to low."""
        sure, right = confidences(knowledge, ids)
        return ids[np.lexsort((np.where(right, sure, -sure), ~right))]
