"""What is made of the numbers in records: of one, by the form of a measure; of several, by that of a claim."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

__all__ = ["Form", "combine", "reading"]

Form = Literal["ratio", "gap", "share"]
_COMPLEMENT = "1 - "
_OFF_DIAGONAL = "off-diagonal "


def reading(measure: str) -> tuple[str, Callable[[Any], float | None]]:
    """Return the path of a measure, and what is made of what stands there.

    ``1 - PATH`` is a complement; ``off-diagonal PATH.N`` of the N-th row of a confusion matrix is the share that is not
    in its own column N, or None where the row is empty.

    Examples
    --------
    >>> path, read = reading("off-diagonal measures.transfer.confusion.1")
    >>> path, read([1, 2, 1])
    ('measures.transfer.confusion.1', 0.5)
    """
    if measure.startswith(_COMPLEMENT):
        return measure.removeprefix(_COMPLEMENT), lambda value: 1 - float(value)
    if measure.startswith(_OFF_DIAGONAL):
        path = measure.removeprefix(_OFF_DIAGONAL)
        own = int(path.rpartition(".")[2])
        return path, lambda row: _elsewhere(row, own)
    return measure, float


def _elsewhere(row: Sequence[float], own: int) -> float | None:
    whole = sum(row)
    return 1 - row[own] / whole if whole else None


def combine(form: Form, above: float, below: float, limit: float | None = None) -> float | None:
    """Return a number of the text from the cells it is made of, or None where it has no value.

    Parameters
    ----------
    form : ``ratio``, above / below; ``gap``, their difference in points; ``share``, 100 (above - below) /
        (limit - below), per cent of what there was to improve
    above, below, limit : in the units of records

    Examples
    --------
    >>> round(combine("share", 0.9641, 0.9191, 0.9917), 1)
    62.0
    """
    if form == "gap":
        return 100 * (above - below)
    if form == "ratio":
        return above / below if above > 0 and below > 0 else None
    if limit is None or limit <= below:
        return None
    return 100 * (above - below) / (limit - below)
