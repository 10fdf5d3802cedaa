"""Looking at the copy: its probabilities, and its network held in evaluation mode."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import numpy as np

from copycost._types import Float32Array, IntArray
from copycost.errors import InvalidInput
from copycost.strategies._base import Knowledge

if TYPE_CHECKING:
    from copycost.networks import AnyClassifier

__all__ = ["evaluated", "parts", "probabilities", "the_substitute"]

_PART = 2048  # inputs taken from the pool at a time, so that no copy of a large pool is made


def the_substitute(knowledge: Knowledge) -> AnyClassifier:
    """Return the copy, which the base class has checked to be there where a strategy declares the need."""
    return cast("AnyClassifier", knowledge.substitute)


def parts(ids: IntArray, size: int = _PART) -> list[IntArray]:
    """Return views of at most ``size`` indices, in order."""
    return [ids[start : start + size] for start in range(0, len(ids), size)]


def probabilities(knowledge: Knowledge, ids: IntArray) -> Float32Array:
    """Return the copy's probabilities (len(ids), classes) of the pool members at ``ids``.

    Raises
    ------
    InvalidInput
        If one of them is NaN or infinite.
    """
    rows, done = [], 0
    for part in parts(ids):
        rows.append(the_substitute(knowledge).probabilities(knowledge.pool.take(part)))
        done += len(part)
        knowledge.report("looking at the pool", done / len(ids))
    found = np.concatenate(rows)
    if not np.isfinite(found).all():
        raise InvalidInput(
            "the substitute's probabilities are NaN or infinite, so that nothing can be chosen by them: its training "
            "diverged. Choose a smaller learning rate in the schedule."
        )
    return found


@contextmanager
def evaluated(substitute: AnyClassifier) -> Iterator[None]:
    """Hold the copy in evaluation mode; every part of it is then as it was."""
    before = [(module, module.training) for module in substitute.network.modules()]
    substitute.network.eval()
    try:
        yield
    finally:
        for module, training in before:
            module.training = training
