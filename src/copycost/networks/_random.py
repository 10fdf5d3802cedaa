"""The one place where torch's own generator is set: it is forked, used and restored."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import numpy as np
import torch

from copycost.networks._device import current_device

__all__ = ["generator", "seeded"]


@contextlib.contextmanager
def seeded(rng: np.random.Generator, device: torch.device | None = None) -> Iterator[None]:
    """Run a block whose torch draws (initial weights, dropout) come from ``rng``; restore torch's state after.

    ``device`` is where a network lies that draws for itself; the current one unless given.
    """
    device = current_device() if device is None else device
    ours = [device.index] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=ours):
        seed = _seed(rng)
        for generator in [torch.default_generator, *(torch.cuda.default_generators[number] for number in ours)]:
            generator.manual_seed(seed)
        yield


def generator(rng: np.random.Generator) -> torch.Generator:
    """Return a torch generator seeded by one draw from ``rng``."""
    return torch.Generator().manual_seed(_seed(rng))


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(2**63))
