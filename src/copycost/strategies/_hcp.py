"""HCP: the queries that the target is surest of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from copycost._types import IntArray
from copycost.strategies._base import Grouping, Knowledge
from copycost.strategies._confidence import ByConfidence, confident_first

__all__ = ["HCP"]


@dataclass(frozen=True)
class HCP(ByConfidence):
    """The members with the highest probability of the correct class under the target, from high to low.

    The correct class is the pool's own label. It looks inside the target. The lowest index wins ties, which
    a sure target has many of: probabilities are float32, and 1 is the highest.

    Attributes
    ----------
    group : {"none", "label"}
        Choose within each known label, the paper's protocol, or among the whole pool.
    redistribute : bool
        Let other groups take what a small group cannot give.
    """

    name: ClassVar[str] = "hcp"
    source: ClassVar[str] = "DRMI, section 5.4.2, high class probability, Table 12"

    group: Grouping = "none"
    redistribute: bool = False

    def order(self, knowledge: Knowledge, ids: IntArray) -> IntArray:
        """Return ``ids`` from high to low."""
        return confident_first(knowledge, ids)
