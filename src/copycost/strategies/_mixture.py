"""Mixture: random queries, a share of them replaced by those that the target is surest of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from copycost._types import IntArray
from copycost.errors import InvalidInput
from copycost.strategies._base import Grouping, Knowledge
from copycost.strategies._confidence import ByConfidence, confident_first

__all__ = ["Mixture"]


@dataclass(frozen=True)
class Mixture(ByConfidence):
    """Draw members uniformly, then replace a share of them, drawn too, by those the target is surest of.

    With ``share=0`` it is ``random`` to the member, with ``share=1`` it is ``hcp``; a replacement is never one that was
    drawn and stays. Within a group the share is rounded to the nearest number of members, halves up.

    Attributes
    ----------
    share : float
        From 0 to 1.
    group : {"none", "label"}
        Draw and replace within each known label, the paper's protocol, or among the whole pool.
    redistribute : bool
        Let other groups take what a small group cannot give.
    """

    name: ClassVar[str] = "mixture"
    source: ClassVar[str] = "DRMI, section 5.4.2, Figure 6"

    share: float = 0.3
    group: Grouping = "none"
    redistribute: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise InvalidInput(f"mixture share is {self.share:g}; a number from 0 to 1 is needed, such as 0.3.")

    def choose_within(self, ids: IntArray, count: int, knowledge: Knowledge, rng: np.random.Generator) -> IntArray:
        """Return ``count`` of ``ids``: those drawn that stay, then their replacements."""
        replaced = int(self.share * count + 0.5)
        kept = np.sort(rng.choice(ids, count, replace=False)[: count - replaced])
        return np.concatenate([kept, self.order(knowledge, np.setdiff1d(ids, kept))[:replaced]])

    def order(self, knowledge: Knowledge, ids: IntArray) -> IntArray:
        """Return ``ids`` from high to low."""
        return confident_first(knowledge, ids)
