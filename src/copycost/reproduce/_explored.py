"""Figures of data: the sets of an audit as its exploration left them, with samples where the sets are at hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from copycost.audit import AuditSpec, load_data
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
Explored = tuple[tuple[Exploration, ExploredSet], ...]


def explored_of(
    chart: str, slot: Slot, scale: Scale, library: Library, records: Records, data_dir: Path | None
) -> Explored:
    """Return training and test set of a slot's audit, for the page; nothing where they were not explored."""
    if not slot.choices:
        return ()
    audit = slot.choices[0].audit
    spec = library.spec(audit, scale)
    found = {role: one for role, one in records.exploration(audit).items() if role in _ROLES}

    def samples(role: str, one: Exploration) -> Shown | None:
        return None if spec is None or chart != "samples" else _samples(spec, role, one, data_dir)

    ordered = [found[role] for role in _ROLES if role in found]
    return tuple(zip(ordered, explored_sets(found, samples), strict=True))


def _samples(spec: AuditSpec, role: str, one: Exploration, data_dir: Path | None) -> Shown | None:
    """Load the samples of a set, class after class, if it is here and is the one that was explored."""
    try:
        data = load_data(spec, 0, data_dir, download=False)
    except (CopycostError, OSError):
        return None
    part = data.training if role == "training" else data.test
    if part is None or part.inputs.digest() != one.digest or not isinstance(part.inputs, Images):
        return None
    return part.inputs.take(_flat(one.samples)).array


def _flat(groups: Sequence[Sequence[int]]) -> list[int]:
    return [index for group in groups for index in group]
