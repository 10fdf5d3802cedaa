"""Transferability: what adversarial examples made on the substitute do to the target."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from copycost._types import BoolArray, IntArray
from copycost.errors import InvalidInput
from copycost.measures._checks import check_classes, check_lengths, checked_labels
from copycost.measures._rates import confusion as count_pairs


@dataclass(frozen=True)
class Rates:
    """Three shares of one set of adversarial examples; None where a share is not defined.

    Attributes
    ----------
    wanted : float or None
        The target gives the wanted class; None for untargeted examples.
    left_clean : float or None
        The target gives another label than the one it gives to the unchanged image.
    off_diagonal : float or None
        The target gives another label than the true one, as DRMI's Figures 4 and 5 count; None without true
        labels.
    """

    wanted: float | None
    left_clean: float | None
    off_diagonal: float | None


@dataclass(frozen=True, eq=False)
class TransferRates:
    """Transfer rates among all examples made and among those that fooled the substitute.

    Attributes
    ----------
    made, fooled : int
        Number of examples made, and of those that fooled the substitute.
    among_made, among_fooled : Rates
        Shares of either number; all None among the fooled where none fooled the substitute.
    confusion : int64 array (classes, classes)
        Examples that fooled the substitute: row, the true label (the target's clean label where the true one
        is not known); column, the target's label for the example.
    """

    made: int
    fooled: int
    among_made: Rates
    among_fooled: Rates
    confusion: IntArray


def transfer_rates(
    *,
    clean: npt.ArrayLike,
    answered: npt.ArrayLike,
    fooled: npt.ArrayLike,
    classes: int,
    wanted: npt.ArrayLike | None = None,
    true: npt.ArrayLike | None = None,
) -> TransferRates:
    """Measure how many adversarial examples made on the substitute work on the target.

    Three definitions stand side by side because the papers differ: see `Rates`. An example whose image the
    target already gave the wanted class counts as wanted without having left its clean label.

    Parameters
    ----------
    clean : int array (n,)
        The target's label for the unchanged image of each example.
    answered : int array (n,)
        The target's label for the example.
    fooled : bool array (n,)
        Whether the example fooled the substitute.
    classes : int
        Number of classes.
    wanted : int array (n,), optional
        The class each example aims at; leave it out for untargeted examples.
    true : int array (n,), optional
        The true label of the unchanged image.

    Raises
    ------
    InvalidInput
        If an array is empty, the lengths differ, a label lies outside the classes, or ``fooled`` is not bool.

    Notes
    -----
    DRMI (He et al., USENIX Security 2021), section 5.3, Table 8 and Figures 4 and 5.

    Examples
    --------
    >>> rates = transfer_rates(clean=[0, 0], answered=[1, 0], fooled=[True, True], classes=2, wanted=[1, 1])
    >>> rates.among_fooled
    Rates(wanted=0.5, left_clean=0.5, off_diagonal=None)
    """
    check_classes(classes)
    before = checked_labels("clean", clean, classes)
    after = checked_labels("answered", answered, classes)
    works = _checked_flags(fooled)
    check_lengths(clean=before, answered=after, fooled=works)
    aims = None if wanted is None else checked_labels("wanted", wanted, classes)
    labels = None if true is None else checked_labels("true", true, classes)
    for name, optional in (("wanted", aims), ("true", labels)):
        if optional is not None:
            check_lengths(answered=after, **{name: optional})
    wins = (
        None if aims is None else after == aims,
        after != before,
        None if labels is None else after != labels,
    )
    return TransferRates(
        made=len(after),
        fooled=int(works.sum()),
        among_made=Rates(*(_share(win, np.ones_like(works)) for win in wins)),
        among_fooled=Rates(*(_share(win, works) for win in wins)),
        confusion=_confusion(before if labels is None else labels, after, works, classes),
    )


def _checked_flags(fooled: npt.ArrayLike) -> BoolArray:
    flags = np.asarray(fooled)
    if flags.ndim != 1 or flags.size == 0 or flags.dtype != np.bool_:
        raise InvalidInput(
            f"fooled has shape {flags.shape} and dtype {flags.dtype}; a vector of at least one bool is needed."
        )
    return flags.astype(np.bool_)


def _share(win: BoolArray | None, members: BoolArray) -> float | None:
    return None if win is None or not members.any() else float(win[members].mean())


def _confusion(rows: IntArray, columns: IntArray, members: BoolArray, classes: int) -> IntArray:
    if not members.any():
        return np.zeros((classes, classes), np.int64)
    return count_pairs(rows[members], columns[members], classes)
