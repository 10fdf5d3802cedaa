"""Figures of data: the sets of an audit as its exploration left them, with pictures where the sets are at hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from copycost.audit import AuditSpec, load_data
from copycost.audit._scenario import Data
from copycost.datasets import Dataset
from copycost.errors import CopycostError
from copycost.exploration import Exploration
from copycost.inputs import Images
from copycost.report._explored import ExploredSet, explored_sets
from copycost.report._sources import Shown
from copycost.reproduce._library import Library
from copycost.reproduce._records import Records
from copycost.reproduce._schema import Scale
from copycost.reproduce._slots import Slot

__all__ = ["Explored", "explored_of"]

_ROLES = ("training", "test")
_SEQUENCE = "sequence"
_WITH_PICTURES = ("samples", _SEQUENCE)
_FIRST = 10  # of each class, as in the thesis' figure 36
Explored = tuple[tuple[Exploration, ExploredSet], ...]


def explored_of(
    chart: str, slot: Slot, scale: Scale, library: Library, records: Records, data_dir: Path | None
) -> Explored:
    """Return training and test set of a slot's audit, for the page; nothing where they were not explored.

    A sequence is of the training set alone: the first images of each class, in the order of the set.
    """
    if not slot.choices:
        return ()
    audit = slot.choices[0].audit
    spec = library.spec(audit, scale)
    known = records.exploration(audit)
    found = {role: known[role] for role in _ROLES[: 1 if chart == _SEQUENCE else None] if role in known}
    shown: dict[str, Shown] = {}
    data = _loaded(spec, data_dir) if spec is not None and found and chart in _WITH_PICTURES else None
    for role, one in found.items():
        part = None if data is None else _the_same(data, role, one)
        if part is not None:
            found[role] = replace(one, samples=_in_order(part)) if chart == _SEQUENCE else one
            shown[role] = _pictures(part, found[role].samples)
    sets = explored_sets(found, lambda role, one: shown.get(role))
    return tuple((one, _titled(one, each, chart)) for one, each in zip(found.values(), sets, strict=True))


def _loaded(spec: AuditSpec, data_dir: Path | None) -> Data | None:
    try:
        return load_data(spec, 0, data_dir, download=False)
    except (CopycostError, OSError):
        return None


def _the_same(data: Data, role: str, one: Exploration) -> Dataset | None:
    """Return the set of a role if it is the one that was explored, and of images."""
    part = data.training if role == "training" else data.test
    same = part is not None and isinstance(part.inputs, Images) and part.inputs.digest() == one.digest
    return part if same else None


def _in_order(part: Dataset) -> tuple[tuple[int, ...], ...]:
    """Return the first indices of each class, or of all without labels."""
    if part.labels is None:
        return (tuple(range(min(_FIRST, len(part)))),)
    labels = part.labels
    return tuple(tuple(np.flatnonzero(labels == label)[:_FIRST].tolist()) for label in range(len(part.classes)))


def _pictures(part: Dataset, samples: Sequence[Sequence[int]]) -> Shown:
    assert isinstance(part.inputs, Images)
    return part.inputs.take([index for group in samples for index in group]).array


def _titled(one: Exploration, shown: ExploredSet, chart: str) -> ExploredSet:
    if chart != _SEQUENCE or shown.sheet is None:
        return shown
    of = "of each class " if one.classes else ""
    title = f"The first {_FIRST} images {of}of {one.name}, in the order of the set"
    return replace(shown, sheet=replace(shown.sheet, title=title))
