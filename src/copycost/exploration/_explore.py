"""Exploring a data set: how many of each class, a few of them, and a sample in the plane (Schmidl 2021, chapter 3)."""

from __future__ import annotations

import numpy as np

from copycost._types import IntArray
from copycost.datasets import Dataset, stratified_split
from copycost.errors import InvalidInput
from copycost.exploration._planes import gram_matrix, linear_plane, neighbour_plane, principal_components, versions
from copycost.exploration._result import Exploration, Plane

__all__ = ["explore"]

_SHOWN_OF_A_CLASS = 5
_FEWEST = 200
_COMPONENTS = 50


def explore(dataset: Dataset, *, rng: np.random.Generator, share: float = 0.1, most: int = 2000) -> Exploration:
    """Look at a data set: class balance, samples, and a stratified sample by PCA and by t-SNE (Schmidl 2021, 3).

    Parameters
    ----------
    dataset : Dataset
        Images, of which pixels count, or texts, of which TF-IDF weights of words do.
    rng : numpy.random.Generator
        Draws the samples, and starts t-SNE; the same one gives the same document.
    share : float
        Share of the inputs to draw, above 0 and at most 1; of small sets 200 are drawn all the same, or all there are.
    most : int
        Inputs to draw at most, which bounds the time (2,000 take about 20 seconds on one core) and the memory.

    Raises
    ------
    InvalidInput
        If ``share`` or ``most`` is out of range.
    MissingExtra
        If scikit-learn is not installed.
    """
    if not 0 < share <= 1:
        raise InvalidInput(f"share is {share}; a share above 0 and at most 1 is needed, such as 0.1.")
    if most < 1:
        raise InvalidInput(f"most is {most}; 1 or more is needed.")
    labels, n = dataset.labels, len(dataset)
    size = min(most, n, max(round(share * n), _FEWEST))
    kinds = np.zeros(n, np.int64) if labels is None else labels
    samples = _samples(kinds, 1 if labels is None else len(dataset.classes), rng)
    drawn = np.sort(stratified_split(kinds, [size], rng)[0])
    linear, neighbours = _planes(dataset, drawn, rng)
    return Exploration(
        name=dataset.name,
        medium=dataset.inputs.medium,
        digest=dataset.inputs.digest(),
        count=n,
        classes=() if labels is None else dataset.classes,
        balance=() if labels is None else tuple(np.bincount(labels, minlength=len(dataset.classes)).tolist()),
        samples=samples,
        share=share,
        sample=tuple(drawn.tolist()),
        labels=() if labels is None else tuple(labels[drawn].tolist()),
        linear=linear,
        neighbours=neighbours,
        versions=versions(),
    )


def _samples(kinds: IntArray, classes: int, rng: np.random.Generator) -> tuple[tuple[int, ...], ...]:
    found = []
    for label in range(classes):
        members = np.flatnonzero(kinds == label)
        drawn = rng.choice(members, min(_SHOWN_OF_A_CLASS, len(members)), replace=False)
        found.append(tuple(np.sort(drawn).tolist()))
    return tuple(found)


def _planes(dataset: Dataset, drawn: IntArray, rng: np.random.Generator) -> tuple[Plane, Plane]:
    medium = dataset.inputs.medium
    gram = gram_matrix(dataset.inputs.take(drawn))
    if gram is None:
        reason = "no text of the sample holds a word"
        return Plane("PCA", reason=reason), Plane("t-SNE", reason=reason)
    components, shares = principal_components(gram, _COMPONENTS)
    return linear_plane(components, shares, medium), neighbour_plane(components, rng)
