"""Checks of arguments, so that a wrong array never becomes a plausible number."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from copycost._types import FloatArray, IntArray
from copycost.errors import InvalidInput


def checked_labels(name: str, values: npt.ArrayLike, classes: int | None = None) -> IntArray:
    """Return ``values`` as a non-empty int64 vector of labels from 0 to ``classes`` - 1 (any if None)."""
    array = np.asarray(values)
    if array.ndim != 1 or array.size == 0:
        raise InvalidInput(f"{name} has shape {array.shape}; a vector of at least one label is needed.")
    if array.dtype.kind == "f" and np.isnan(array).any():
        raise InvalidInput(f"{name} contains NaN; every input needs a label: leave out those that have none.")
    if array.dtype.kind not in "iu":
        raise InvalidInput(f"{name} has dtype {array.dtype}; whole-number labels are needed: use .astype(int).")
    labels = array.astype(np.int64)
    if classes is not None and (labels.min() < 0 or labels.max() >= classes):
        raise InvalidInput(
            f"{name} has labels from {labels.min()} to {labels.max()}; with classes={classes} they must "
            f"lie between 0 and {classes - 1}: pass the number of classes of the target."
        )
    return labels


def checked_vector(name: str, values: npt.ArrayLike) -> FloatArray:
    """Return ``values`` as a non-empty float64 vector of finite numbers."""
    array = np.asarray(values)
    if array.ndim != 1 or array.size == 0 or array.dtype.kind not in "iuf":
        raise InvalidInput(
            f"{name} has shape {array.shape} and dtype {array.dtype}; a vector of at least one number is needed."
        )
    if not np.isfinite(array).all():
        raise InvalidInput(f"{name} contains NaN or infinity; leave out the runs that gave no number.")
    return array.astype(np.float64)


def check_classes(classes: int) -> None:
    """Refuse a number of classes below one."""
    if classes < 1:
        raise InvalidInput(f"classes is {classes}; at least 1 class is needed.")


def check_level(name: str, level: float) -> None:
    """Refuse a level of confidence that is not strictly between 0 and 1."""
    if not 0 < level < 1:
        raise InvalidInput(f"{name} is {level}; a share strictly between 0 and 1 is needed, such as 0.95.")


def check_lengths(**arrays: npt.NDArray[np.generic]) -> None:
    """Refuse arrays of unequal length."""
    if len({len(array) for array in arrays.values()}) > 1:
        found = ", ".join(f"{name} has {len(array)}" for name, array in arrays.items())
        raise InvalidInput(f"the lengths differ ({found}); pass one entry for each input, in the same order.")
