"""Which examples each update sees."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from copycost._types import IntArray
from copycost.errors import InvalidInput

__all__ = ["Batches"]


class Batches:
    """Shuffled batches of ``count`` examples, the last of an epoch possibly smaller.

    Batch norm cannot train on one value a channel, so where the network has it, a last batch of one joins the batch
    before it.

    Attributes
    ----------
    an_epoch : int
        Batches an epoch.

    Raises
    ------
    InvalidInput
        If the network has batch norm and every batch would hold one example.
    """

    def __init__(self, network: nn.Module, count: int, batch: int) -> None:
        joins = any(isinstance(module, _BatchNorm) for module in network.modules())
        if joins and min(count, batch) < 2:
            raise InvalidInput(
                f"{count} examples are trained on in batches of {batch}, but the network has batch norm, which needs "
                "at least 2 at once; raise the budget or the schedule's batch, or choose another architecture."
            )
        self._count = count
        self._starts = list(range(0, count, batch))
        if joins and count % batch == 1:
            self._starts.pop()
        self.an_epoch = len(self._starts)

    def epoch(self, rng: np.random.Generator) -> Iterator[IntArray]:
        """Yield the rows (at most ``batch``, or one more) of each batch of one epoch."""
        order = rng.permutation(self._count)
        for start, stop in zip(self._starts, [*self._starts[1:], self._count], strict=True):
            yield order[start:stop]

    def endless(self, rng: np.random.Generator) -> Iterator[IntArray]:
        """Yield the batches of one epoch after the other."""
        while True:
            yield from self.epoch(rng)
