"""Looking at what the target itself says of the pool: how sure it is of the correct class, and whether it is right."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from typing import cast

import numpy as np

from copycost._types import BoolArray, Float32Array, IntArray
from copycost.strategies._base import Knowledge, Queries
from copycost.strategies._groups import Grouped

__all__ = ["ByConfidence", "confident_first", "insider_probabilities"]


def insider_probabilities(knowledge: Knowledge) -> Float32Array:
    """Return the target's probabilities of the whole pool, which the base class has checked to be there."""
    return cast(Float32Array, knowledge.target_probabilities)


def confidences(knowledge: Knowledge, ids: IntArray) -> tuple[Float32Array, BoolArray]:
    """Return the target's probability of the pool's own label for each of ``ids``, and where it names that label."""
    labels = cast(IntArray, knowledge.labels)[ids]
    rows = insider_probabilities(knowledge)[ids]
    known = labels < rows.shape[1]  # a label that the target does not know has probability 0
    sure = np.where(known, rows[np.arange(len(ids)), np.minimum(labels, rows.shape[1] - 1)], np.float32(0))
    return sure, rows.argmax(axis=1) == labels


def confident_first(knowledge: Knowledge, ids: IntArray) -> IntArray:
    """Return ``ids`` by the target's probability of the correct class, from high to low; the lowest index wins ties."""
    sure, _ = confidences(knowledge, ids)
    return ids[np.argsort(-sure, kind="stable")]


class ByConfidence(Grouped):
    """A strategy on the target's probability of the correct class; it writes `order`.

    The record keeps the ``lowest`` and ``highest`` probability of those chosen, and how many of them the target gets
    wrong (``misclassified``).
    """

    @property
    def needs(self) -> frozenset[str]:
        """The pool's labels, which say what is correct, and a look inside the target."""
        return frozenset({"labels", "target_probabilities"})

    def choose(self, knowledge: Knowledge, k: int, *, rng: np.random.Generator) -> Queries:
        """Return ``k`` members, group after group, with what the target said of them."""
        queries = super().choose(knowledge, k, rng=rng)
        sure, right = confidences(knowledge, queries.pool_index)
        facts = {
            "lowest": float(sure.min()),
            "highest": float(sure.max()),
            "misclassified": int((~right).sum()),
        }
        return dataclasses.replace(queries, facts=facts)

    def choose_within(self, ids: IntArray, count: int, knowledge: Knowledge, rng: np.random.Generator) -> IntArray:
        """Return the first ``count`` of ``ids``; nothing is drawn."""
        return self.order(knowledge, ids)[:count]

    @abstractmethod
    def order(self, knowledge: Knowledge, ids: IntArray) -> IntArray:
        """Return ``ids`` in the order in which they are chosen."""
