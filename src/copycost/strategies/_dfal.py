"""DFAL: the queries that lie nearest to a boundary of the copy, measured by DeepFool."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, cast

import numpy as np

from copycost._types import FloatArray, IntArray
from copycost.adversarial import deepfool
from copycost.errors import InvalidInput
from copycost.inputs import Images
from copycost.strategies._base import Knowledge, Queries, Strategy
from copycost.strategies._substitute import evaluated, parts, the_substitute

__all__ = ["DFAL"]

_PART = 512  # images as floats at a time; DeepFool itself goes through them in its own batches
_CLASSES = 10  # classes that DeepFool considers, as in its paper
_STEPS = 6  # linearisations that an image takes, about
_SECONDS = 2e-7  # for one pixel and one gradient of a small convolutional network


@dataclass(frozen=True)
class DFAL(Strategy):
    """The free images with the smallest squared L2 norm of DeepFool's perturbation under the copy.

    The nearest comes first; the lowest index wins ties. An image that DeepFool does not bring across a boundary is
    never taken before one that it does; such images follow by index. DeepFool considers the predicted class and the
    nine next most likely, and the copy is in evaluation mode. The record keeps how many images were ``examined``, how
    many of them were ``unconverged``, and how many of those were chosen all the same (``unconverged_chosen``).

    Attributes
    ----------
    steps : int
        Most linearisations for one image.
    overshoot : float
        Share by which DeepFool makes the summed perturbation longer, to cross the boundary.
    candidates : int or None
        Images examined: so many of the free ones drawn by the generator, though never fewer than are to be chosen;
        or all (None, written ``all``).
    """

    name: ClassVar[str] = "dfal"
    media: ClassVar[frozenset[str]] = frozenset({"image"})
    source: ClassVar[str] = (
        "ActiveThief, section 4.1, adversarial strategy (Ducoffe and Precioso 2018; DeepFool: Moosavi-Dezfooli, Fawzi "
        "and Frossard 2016, Algorithm 2)"
    )

    steps: int = 50
    overshoot: float = 0.02
    candidates: int | None = None

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise InvalidInput(f"dfal steps is {self.steps}; 1 or more is needed.")
        if not (math.isfinite(self.overshoot) and self.overshoot >= 0):
            raise InvalidInput(f"dfal overshoot is {self.overshoot:g}; a finite number of 0 or more is needed.")
        if self.candidates is not None and self.candidates < 1:
            raise InvalidInput(f"dfal candidates is {self.candidates}; 1 or more is needed, or 'all'.")

    @property
    def needs(self) -> frozenset[str]:
        """The copy of the round before."""
        return frozenset({"substitute"})

    def choose(self, knowledge: Knowledge, k: int, *, rng: np.random.Generator) -> Queries:
        """Return the ``k`` nearest members; only which are examined is drawn."""
        ids = knowledge.free()
        examined = self._examined(len(ids), k)
        if examined < len(ids):
            ids = np.sort(rng.choice(ids, examined, replace=False))
        squares = self._squares(knowledge, ids)
        order = np.argsort(squares, kind="stable")[:k]
        facts = {
            "examined": len(ids),
            "unconverged": int(np.isinf(squares).sum()),
            "unconverged_chosen": int(np.isinf(squares[order]).sum()),
        }
        return Queries.members(knowledge.pool, ids[order], facts)

    def seconds(self, knowledge: Knowledge, k: int) -> float:
        """Return the time of the gradients on a small convolutional network; a deep one takes many times as long."""
        examined = self._examined(len(knowledge.pool), k)
        pixels = math.prod(cast(Images, knowledge.pool).shape)
        return examined * _STEPS * min(knowledge.classes, _CLASSES) * pixels * _SECONDS

    def _examined(self, free: int, k: int) -> int:
        return free if self.candidates is None else min(free, max(self.candidates, k))

    def _squares(self, knowledge: Knowledge, ids: IntArray) -> FloatArray:
        """Return the squared norm for each of ``ids``, infinite where DeepFool did not converge."""
        substitute, found, done = the_substitute(knowledge), [], 0

        def tell(share: float) -> None:
            knowledge.report("looking for boundaries", (done + share * len(part)) / len(ids))

        with evaluated(substitute):
            for part in parts(ids, _PART):
                images = substitute.tensor(substitute.encode(knowledge.pool.take(part)))
                result = deepfool(
                    substitute,
                    images,
                    steps=self.steps,
                    overshoot=self.overshoot,
                    candidates=_CLASSES,
                    progress=tell,
                )
                found.append(result.distances.cpu().numpy().astype(np.float64) ** 2)
                done += len(part)
        squares: FloatArray = np.concatenate(found)
        return squares
