"""Noise: new inputs that are drawn uniformly and know nothing of the pool but its form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, cast

import numpy as np

from copycost.errors import InvalidInput
from copycost.inputs import Images, Inputs, Texts
from copycost.strategies._base import Knowledge, Queries, Strategy

__all__ = ["Noise"]

_LONGEST = 100  # words


@dataclass(frozen=True)
class Noise(Strategy):
    """New inputs drawn uniformly: the baseline without a pool.

    Images are independent uniform bytes in the pool's shape. Texts are words drawn uniformly from the different words
    of the pool (as white space separates them) and joined by spaces; how many is drawn from the lengths of the pool's
    texts, empty ones left out and at most 100.
    """

    name: ClassVar[str] = "noise"
    from_pool: ClassVar[bool] = False
    source: ClassVar[str] = (
        "ActiveThief, section 6, uniform noise and discrete uniform noise baseline, Figure 6 (Tramer et al. 2016, "
        "uniform queries)"
    )

    def choose(self, knowledge: Knowledge, k: int, *, rng: np.random.Generator) -> Queries:
        """Return ``k`` new inputs drawn from ``rng``."""
        drawn: Inputs
        if isinstance(knowledge.pool, Texts):
            drawn = _texts(knowledge.pool, k, rng)
        else:
            array = rng.integers(0, 256, (k, *cast(Images, knowledge.pool).shape), dtype=np.uint8)
            array.flags.writeable = False  # so that it is not copied
            drawn = Images(array)
        nowhere = np.full(k, -1, np.int64)
        return Queries(drawn, nowhere, nowhere)


def _texts(pool: Texts, k: int, rng: np.random.Generator) -> Texts:
    lengths = np.array([min(len(text.split()), _LONGEST) for text in pool.texts], dtype=np.int64)
    words = sorted({word for text in pool.texts for word in text.split()})
    if not words:
        raise InvalidInput(
            f"strategy noise draws words of the pool, and its {len(pool)} texts hold none; choose another."
        )
    wanted = rng.choice(lengths[lengths > 0], k)
    drawn = rng.integers(0, len(words), int(wanted.sum()))
    return Texts([" ".join(words[word] for word in part.tolist()) for part in np.split(drawn, np.cumsum(wanted)[:-1])])
