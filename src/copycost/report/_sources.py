"""Where the page finds what it shows: pool and other sets, loaded again by name, or nothing if they have changed."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from copycost._types import ByteArray, IntArray
from copycost.audit import AuditResult, AuditSpec
from copycost.audit._scenario import Data, load_data
from copycost.audit._tasks import target_key
from copycost.errors import CopycostError
from copycost.exploration import Exploration
from copycost.inputs import Images, Inputs, Texts

__all__ = ["SHOWN", "Chosen", "Samples", "Shown", "chosen_inputs", "sample_inputs", "shown_rows"]

Shown = ByteArray | tuple[str, ...]
Chosen = Callable[[dict[str, Any]], Shown | None]
Samples = Callable[[str, Exploration], Shown | None]

SHOWN = {"image": 60, "text": 20}


def shown_rows(cell: dict[str, Any], medium: str) -> IntArray:
    """Return which of a cell's queries are shown: members of the pool alone, spread evenly over the choice.

    There are 60 images at most, or 20 texts.
    """
    members = np.flatnonzero(np.asarray(cell["result"]["chosen"]["pool_index"], dtype=np.int64) >= 0)
    most = SHOWN[medium]
    if len(members) <= most:
        return members.astype(np.int64)
    return members[np.linspace(0, len(members) - 1, most).round().astype(np.int64)].astype(np.int64)


def chosen_inputs(result: AuditResult, cell: dict[str, Any], data_dir: Path | None) -> Shown | None:
    """Load the members of the pool that `shown_rows` of a cell names.

    Returns
    -------
    uint8 array (n, height, width, channels) or n texts, or None where the data cannot be loaded or are not those of the
    audit.
    """
    spec, seed = result.spec, int(cell["spec"]["seed"])
    data = _data(spec, seed if spec.per_seed else 0, data_dir)
    if data is None or target_key(spec, seed) != cell["target"]:
        return None
    record = result.targets[seed] if spec.per_seed else result.targets[0]
    if data.pool.inputs.digest() != record["pool"]["digest"]:
        return None
    chosen = np.asarray(cell["result"]["chosen"]["pool_index"], dtype=np.int64)
    return _shown(data.pool.inputs.take(chosen[shown_rows(cell, data.pool.inputs.medium)]))


def sample_inputs(result: AuditResult, role: str, found: Exploration, data_dir: Path | None) -> Shown | None:
    """Load the samples of an explored set, class after class, as `chosen_inputs` does."""
    data = _data(result.spec, 0, data_dir)
    part = None if data is None else {"training": data.training, "pool": data.pool, "test": data.test}.get(role)
    if part is None or part.inputs.digest() != found.digest:
        return None
    return _shown(part.inputs.take([index for group in found.samples for index in group]))


def _shown(inputs: Inputs) -> Shown:
    if isinstance(inputs, Images):
        return inputs.array
    assert isinstance(inputs, Texts)
    return inputs.texts


@functools.lru_cache(maxsize=1)
def _data(spec: AuditSpec, seed: int, data_dir: Path | None) -> Data | None:
    """Keep the last sets loaded: every strategy chose from the same pool. A report fetches nothing."""
    try:
        return load_data(spec, seed, data_dir, download=False)
    except (CopycostError, OSError):
        return None
