"""Shares and losses over held-out inputs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from copycost._types import Float32Array, FloatArray, IntArray
from copycost.errors import InvalidInput
from copycost.measures._checks import check_classes, check_lengths, checked_labels

PROBABILITY_FLOOR = 1e-12
_SUM_TOLERANCE = 1e-3


def accuracy(predicted: npt.ArrayLike, true: npt.ArrayLike) -> float:
    """Return the share of inputs whose predicted label is the true one.

    Parameters
    ----------
    predicted, true : int arrays (n,)
        Labels, one for each input.

    Raises
    ------
    InvalidInput
        If an array is empty, is no vector of whole numbers, or the lengths differ.

    Examples
    --------
    >>> accuracy([0, 1, 2, 2], [0, 1, 2, 1])
    0.75
    """
    first, second = checked_labels("predicted", predicted), checked_labels("true", true)
    check_lengths(predicted=first, true=second)
    return float(np.mean(first == second))


def agreement(a: npt.ArrayLike, b: npt.ArrayLike) -> float:
    """Return the share of inputs on which two classifiers give the same label, right or wrong.

    Parameters
    ----------
    a, b : int arrays (n,)
        Labels by the two classifiers; the measure is symmetric.

    Raises
    ------
    InvalidInput
        If an array is empty, is no vector of whole numbers, or the lengths differ.

    Examples
    --------
    >>> agreement([0, 1, 2, 2], [0, 1, 1, 1])
    0.5
    """
    first, second = checked_labels("a", a), checked_labels("b", b)
    check_lengths(a=first, b=second)
    return float(np.mean(first == second))


def confusion(rows: npt.ArrayLike, columns: npt.ArrayLike, classes: int) -> IntArray:
    """Count the inputs for each pair of labels.

    Parameters
    ----------
    rows, columns : int arrays (n,)
        Labels from 0 to ``classes`` - 1.
    classes : int
        Number of classes; those that never occur keep an empty row and column.

    Returns
    -------
    int64 array (classes, classes)
        Entry (i, j) counts the inputs with row label i and column label j.

    Raises
    ------
    InvalidInput
        If an array is empty, the lengths differ, or a label lies outside the classes.

    Examples
    --------
    >>> confusion([0, 0, 1], [0, 1, 1], classes=2).tolist()
    [[1, 1], [0, 1]]
    """
    check_classes(classes)
    first, second = checked_labels("rows", rows, classes), checked_labels("columns", columns, classes)
    check_lengths(rows=first, columns=second)
    counts = np.bincount(first * classes + second, minlength=classes * classes)
    return counts.reshape(classes, classes).astype(np.int64)


def macro_f1(predicted: npt.ArrayLike, true: npt.ArrayLike, classes: int) -> float:
    """Return the plain mean over all classes of the F1 score, the harmonic mean of precision and recall.

    A class that occurs neither among the predicted nor among the true labels scores 0 and stays in the mean;
    this is scikit-learn's ``f1_score`` with ``average="macro"``, all labels named, and ``zero_division=0``.

    Parameters
    ----------
    predicted, true : int arrays (n,)
        Labels from 0 to ``classes`` - 1.
    classes : int
        Number of classes.

    Raises
    ------
    InvalidInput
        If an array is empty, the lengths differ, or a label lies outside the classes.

    Notes
    -----
    ActiveThief (Pal et al. 2019) stops training on this score over its validation set.

    Examples
    --------
    >>> macro_f1([0, 1, 1, 1], [0, 0, 1, 1], classes=2)
    0.7333333333333334
    """
    counts = confusion(true, predicted, classes)
    occurrences = counts.sum(axis=0) + counts.sum(axis=1)
    return float(np.mean(2 * np.diagonal(counts) / np.maximum(occurrences, 1)))


def per_class_agreement(target_labels: npt.ArrayLike, substitute_labels: npt.ArrayLike, classes: int) -> FloatArray:
    """Return, for each class, the agreement over the inputs that the target puts into that class.

    Parameters
    ----------
    target_labels, substitute_labels : int arrays (n,)
        Labels from 0 to ``classes`` - 1.
    classes : int
        Number of classes.

    Returns
    -------
    float64 array (classes,)
        Shares; NaN for a class into which the target puts no input (JSON has no NaN: write it as null).

    Raises
    ------
    InvalidInput
        If an array is empty, the lengths differ, or a label lies outside the classes.

    Examples
    --------
    >>> per_class_agreement([0, 0, 2], [0, 1, 2], classes=3).tolist()
    [0.5, nan, 1.0]
    """
    counts = confusion(target_labels, substitute_labels, classes)
    inputs = counts.sum(axis=1)
    shares = np.full(classes, np.nan)
    np.divide(np.diagonal(counts), inputs, out=shares, where=inputs > 0)
    return shares


def cross_entropy(probabilities: npt.ArrayLike, labels: npt.ArrayLike) -> float:
    """Return the mean of -log p(label), in nats: the test loss.

    A probability below 1e-12 counts as 1e-12, so that one input costs at most 27.6 nats and the mean stays
    finite; rows are not rescaled.

    Parameters
    ----------
    probabilities : float array (n, classes)
        One distribution for each input.
    labels : int array (n,)
        Labels from 0 to classes - 1.

    Raises
    ------
    InvalidInput
        If an array is empty or contains NaN, the lengths differ, a label lies outside the classes, or a row
        is not a distribution: an entry outside [0, 1] or a sum further than 0.001 from 1, as with logits.

    Examples
    --------
    >>> round(cross_entropy([[0.5, 0.5], [0.25, 0.75]], [0, 1]), 4)
    0.4904
    """
    table = _checked_table(probabilities).astype(np.float64)
    sums_off = float(np.abs(table.sum(axis=1) - 1).max())
    if sums_off > _SUM_TOLERANCE or table.min() < 0 or table.max() > 1 + _SUM_TOLERANCE:
        raise InvalidInput(
            f"probabilities lie between {table.min():g} and {table.max():g} and a row sum is {sums_off:g} "
            "away from 1; rows must be distributions: apply softmax to logits first."
        )
    true = checked_labels("labels", labels, table.shape[1])
    check_lengths(probabilities=table, labels=true)
    chosen = table[np.arange(len(true)), true]
    return float(-np.log(np.clip(chosen, PROBABILITY_FLOOR, 1)).mean())


def top_k_accuracy(probabilities: npt.ArrayLike, labels: npt.ArrayLike, k: int) -> float:
    """Return the share of inputs whose true label is among the k most probable ones.

    Of labels that are equally probable the lowest comes first, so that with k = 1 this is the accuracy of ``argmax``.
    Only the order within a row counts: logits do as well.

    Parameters
    ----------
    probabilities : float array (n, classes)
        One row for each input.
    labels : int array (n,)
        True labels from 0 to classes - 1.
    k : int
        From 1 to the number of classes, with which every label is among them.

    Raises
    ------
    InvalidInput
        If an array is empty or contains NaN, the lengths differ, a label lies outside the classes, or ``k`` is out of
        range.

    Examples
    --------
    >>> top_k_accuracy([[0.2, 0.5, 0.3], [0.4, 0.4, 0.2]], [2, 1], k=2)
    1.0
    >>> top_k_accuracy([[0.2, 0.5, 0.3], [0.4, 0.4, 0.2]], [2, 1], k=1)
    0.0
    """
    table = _checked_table(probabilities)
    classes = table.shape[1]
    true = checked_labels("labels", labels, classes)
    check_lengths(probabilities=table, labels=true)
    if not 1 <= k <= classes:
        raise InvalidInput(f"k is {k}; a whole number from 1 to {classes}, the number of classes, is needed.")
    own = table[np.arange(len(true)), true][:, np.newaxis]
    lower = np.arange(classes) < true[:, np.newaxis]
    before = ((table > own) | ((table == own) & lower)).sum(axis=1)
    return float(np.mean(before < k))


def _checked_table(probabilities: npt.ArrayLike) -> FloatArray | Float32Array:
    table = np.asarray(probabilities)
    if table.ndim != 2 or table.size == 0 or table.dtype.kind != "f":
        raise InvalidInput(
            f"probabilities have shape {table.shape} and dtype {table.dtype}; floats (n, classes) are needed."
        )
    if not np.isfinite(table).all():
        raise InvalidInput("probabilities contain NaN or infinity; every row must be a distribution.")
    return table
