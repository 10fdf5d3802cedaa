"""One numbering of classes for all sets of an audit, by the names of their class folders."""

from __future__ import annotations

import difflib
from dataclasses import replace

import numpy as np

from copycost.datasets._dataset import Dataset
from copycost.errors import InvalidInput

_NAMED = 5


def align_classes(dataset: Dataset, reference: Dataset, *, role: str, reference_role: str) -> Dataset:
    """Return the data set with its labels numbered as the reference numbers classes of the same names.

    Nothing changes where one of the two has no labels. Classes are matched by their names, unless neither comes from
    class folders and one is a file of the user's that only numbers them: numbers are taken as they are then.

    Parameters
    ----------
    dataset, reference : Dataset
        The reference's order of classes wins.
    role, reference_role : str
        What the two are, for the error: "pool", "test set".

    Raises
    ------
    InvalidInput
        If the data set has a class whose name the reference does not know, or numbers more classes than the reference
        names.
    """
    if dataset.labels is None or reference.labels is None or dataset.classes == reference.classes:
        return dataset
    if not (dataset.files or reference.files or (dataset.named and reference.named)):
        if reference.named and len(dataset.classes) > len(reference.classes):
            raise InvalidInput(
                f"the {role} {dataset.name} has {len(dataset.classes)} classes, the {reference_role} {reference.name} "
                f"{len(reference.classes)}, so that its labels mean something else; write unlabelled:{dataset.name} to "
                "leave them out."
            )
        return dataset
    number = {name: label for label, name in enumerate(reference.classes)}
    unknown = [name for name in dataset.classes if name not in number]
    if unknown:
        raise InvalidInput(_unknown(unknown, dataset, reference, role, reference_role))
    table = np.array([number[name] for name in dataset.classes], dtype=np.int64)
    return replace(dataset, labels=table[dataset.labels], classes=reference.classes)


def _unknown(unknown: list[str], dataset: Dataset, reference: Dataset, role: str, reference_role: str) -> str:
    named = ", ".join(repr(name) for name in unknown[:_NAMED])
    more = f" and {len(unknown) - _NAMED} more" if len(unknown) > _NAMED else ""
    close = difflib.get_close_matches(unknown[0], reference.classes, n=1, cutoff=0.6)
    hint = f"; is {close[0]!r} meant?" if close else "."
    known = ", ".join(repr(name) for name in reference.classes[:_NAMED])
    known += ", …" if len(reference.classes) > _NAMED else ""
    return (
        f"the {role} {dataset.name} has the class {named}{more}, which the {reference_role} {reference.name} does not "
        f"have{hint} It has {known}. Classes are matched by their names: rename the folders, add an empty folder of "
        f"that name to the {reference_role}, or write unlabelled:{dataset.name} if its labels mean something else."
    )
