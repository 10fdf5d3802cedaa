"""Numba's threads, started without changing those of PyTorch."""

from __future__ import annotations

import functools
import sys

import numba

__all__ = ["start_threads"]


@functools.cache
def start_threads() -> None:
    """Start Numba's threads, once, before the first parallel kernel runs.

    Both libraries may share one OpenMP, and Numba tells it how many threads to use for everybody. A network of a few
    thousand weights that was given one thread would then wait for a second one in every operation. Not at import: a
    process that has started these threads cannot be forked safely.
    """
    torch = sys.modules.get("torch")
    before = None if torch is None else torch.get_num_threads()
    numba.get_num_threads()
    if torch is not None:
        torch.set_num_threads(before)
