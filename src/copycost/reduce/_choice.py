"""Choosing a subset of images, whole or class by class, and what it leaves uncovered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from copycost._streams import stream
from copycost._types import Float32Array, IntArray
from copycost.errors import InvalidInput
from copycost.reduce._shares import class_shares
from copycost.reduce._solvers import SOLVERS, Problem, Solution
from copycost.similarity import Similarity
from copycost.similarity._cost import matrix_fits
from copycost.subsets import Coverage, normalised

__all__ = ["Choice", "Chooser", "Nearest", "Sampled", "check_size", "nearest_chosen"]

_PANEL = 64


def _silent(what: str, share: float) -> None:
    """Report nothing."""


@dataclass(frozen=True)
class Sampled:
    """How far a sample that guided a choice can be believed.

    Attributes
    ----------
    estimate : float
        Mean similarity of an image to the nearest chosen (of its class, if chosen by class), as the sample tells it.
    value : float
        The same of all images.
    standard_error : float or None
        Of the estimate by chance alone; None for a sample too small to tell.
    """

    estimate: float
    value: float
    standard_error: float | None

    @property
    def error(self) -> float:
        """``estimate - value``: above 0, as the choice suits the sample better than the rest."""
        return self.estimate - self.value


@dataclass(frozen=True, eq=False)
class Choice:
    """Chosen images, int64 (k,), those kept first; and what a sample says, where one guided the choice."""

    indices: IntArray
    sampled: Sampled | None


@dataclass(frozen=True, eq=False)
class Chooser:
    """A strategy with all that its choice depends on but the size.

    Attributes
    ----------
    similarity : Similarity
        Mutual information of the n images, in nats.
    strategy : {"coverage", "drmi", "random"}
    labels : int64 array (n,) or None
        Where given, every class is reduced by itself, to its share.
    keep : int64 array
        Images that must be in.
    reference : int or None
        For ``coverage``: a sample of so many images is to be covered; None for all.
    seed : int
        Fixes what is left to chance.
    report : callable
        Takes (what runs, share done).
    """

    similarity: Similarity
    strategy: str = "coverage"
    labels: IntArray | None = None
    keep: IntArray = field(default_factory=lambda: np.zeros(0, np.int64))
    reference: int | None = None
    seed: int = 0
    report: Callable[[str, float], None] = _silent

    def __post_init__(self) -> None:
        if self.strategy not in SOLVERS:
            raise InvalidInput(f"strategy is {self.strategy!r}; {', '.join(SOLVERS)} are allowed.")
        if self.reference is not None and self.reference < 1:
            raise InvalidInput(f"reference is {self.reference}; 1 or more images to be covered are needed, or none.")

    def choose(self, k: int) -> IntArray:
        """Return ``k`` images: those to be kept first, then the others in the order of choice.

        Raises
        ------
        InvalidInput
            If ``k`` is out of range, or below the number of images to be kept or of classes.
        """
        return self.explained(k).indices

    def explained(self, k: int) -> Choice:
        """Return what `choose` does, with what a sample says where one guided the choice."""
        check_size(k, self.similarity.n, len(self.keep))
        self.report("choosing", 0.0)
        if self.labels is None:
            found = self._solve(self.similarity, k, self.keep, "all")
            return Choice(np.concatenate([self.keep, found.points]), _together([(self.similarity.n, found.sampled)]))
        chosen, parts = [self.keep], []
        classes, sizes = np.unique(self.labels, return_counts=True)
        kept = np.array([(self.labels[self.keep] == label).sum() for label in classes])
        for label, share in zip(classes, class_shares(k, sizes, kept), strict=True):
            members = np.flatnonzero(self.labels == label)
            own = np.flatnonzero(np.isin(members, self.keep))
            found = self._solve(self.similarity.restrict(members), int(share), own, int(label))
            chosen.append(members[found.points])
            parts.append((len(members), found.sampled))
        return Choice(np.concatenate(chosen), _together(parts))

    def _solve(self, similarity: Similarity, k: int, kept: IntArray, group: int | str) -> Solution:
        if k == len(kept):
            return Solution(np.zeros(0, np.int64))
        if self.strategy != "random" and matrix_fits(similarity.n):
            similarity = similarity.dense()
        rng = stream(self.seed, "reduce", self.strategy, group)
        return SOLVERS[self.strategy](
            Problem(similarity, k, kept, self.reference, rng, lambda share: self.report("choosing", share))
        )


def _together(parts: Sequence[tuple[int, Coverage | None]]) -> Sampled | None:
    """Return the mean over the images of all groups whose choice a sample guided; their samples are independent."""
    told = [(n, found) for n, found in parts if found is not None and found.estimate is not None]
    if not told:
        return None
    n = sum(size for size, _ in told)
    estimate = sum(found.estimate for _, found in told if found.estimate is not None)
    errors = [found.standard_error for _, found in told if found.standard_error is not None]
    return Sampled(
        estimate / n,
        sum(found.value for _, found in told) / n,
        float(np.linalg.norm(errors)) / n if len(errors) == len(told) else None,
    )


def check_size(k: int, n: int, kept: int) -> None:
    """Refuse a size that cannot be had.

    Raises
    ------
    InvalidInput
        If ``k`` is not from 1 to ``n``, or below the number ``kept``.
    """
    if not 1 <= k <= n:
        raise InvalidInput(f"the size is {k}; the pool has {n} images, so 1 to {n} is allowed.")
    if k < kept:
        raise InvalidInput(f"the size is {k} and {kept} images are to be kept; ask for at least {kept}.")


@dataclass(frozen=True, eq=False)
class Nearest:
    """For every image, the chosen one that is most like it.

    Attributes
    ----------
    index : int64 array (n,)
        Its index; the one chosen first wins a tie.
    similarity : float32 array (n,)
        MI / sqrt(H H) to it, from 0 to 1.
    """

    index: IntArray
    similarity: Float32Array

    @property
    def coverage(self) -> float:
        """The mean similarity: what the strategy ``coverage`` maximises, divided by n."""
        return float(self.similarity.mean(dtype=np.float64))


def nearest_chosen(similarity: Similarity, chosen: IntArray, sizes: Sequence[int]) -> list[Nearest]:
    """Return how well the first m of ``chosen`` cover all images, for each m of ``sizes``, which ascend."""
    view = normalised(similarity)
    best = np.full(view.n, -1.0, np.float32)
    index = np.zeros(view.n, np.int64)
    found, done = [], 0
    for size in sizes:
        for left in range(done, size, _PANEL):
            points = chosen[left : min(left + _PANEL, size)]
            block = view.block(points)
            place = block.argmax(axis=0)
            value = block[place, np.arange(view.n)]
            closer = value > best
            best[closer], index[closer] = value[closer], points[place[closer]]
        done = size
        found.append(Nearest(index.copy(), best.copy()))
    return found
