"""The mutual information of a pool, kept once for every strategy and cell that reads it."""

from __future__ import annotations

from typing import cast

import numpy as np

from copycost._types import IntArray
from copycost.inputs import Images
from copycost.similarity import Dense, luminance, mutual_information
from copycost.strategies._base import Knowledge

__all__ = ["compared", "group_sizes", "kept_matrix"]


def compared(knowledge: Knowledge, ids: IntArray, by_luminance: bool) -> Images:
    """Return the pool's images at ``ids`` as they are compared: as they are, or their luminance."""
    images = cast(Images, knowledge.pool.take(ids))
    return Images(luminance(images.array)) if by_luminance else images


def kept_matrix(images: Images, knowledge: Knowledge) -> Dense:
    """Return the whole matrix of ``images`` from the memo, computed by the first who asks."""
    return Dense(
        knowledge.memo.array(
            ("mutual-information/1", images.digest()),
            lambda: mutual_information(
                images.array, progress=lambda share: knowledge.report("mutual information", share)
            ),
        )
    )


def group_sizes(knowledge: Knowledge, group: str) -> IntArray:
    """Return how many images of the pool each group has, empty groups left out; for the plan."""
    if group == "none" or knowledge.labels is None:
        return np.array([len(knowledge.pool)])
    sizes = np.bincount(knowledge.labels)
    return sizes[sizes > 0]
