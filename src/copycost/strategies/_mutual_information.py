"""Choosing by mutual information: the matrix and the choice are kept once for every cell that asks for them."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, cast

import numpy as np

from copycost._types import AnyArray, IntArray
from copycost.errors import InvalidInput
from copycost.inputs import Images
from copycost.similarity import Dense, OnDemand, Similarity, luminance, mutual_information
from copycost.similarity._cost import matrix_bytes, matrix_fits
from copycost.strategies._base import Knowledge
from copycost.strategies._groups import Grouped

__all__ = ["ByInformation"]


class ByInformation(Grouped):
    """A strategy on the mutual information of images, which takes a sample by the generator or all, exactly.

    Without a sample the result depends on the images alone, and is kept.
    """

    media: ClassVar[frozenset[str]] = frozenset({"image"})

    @property
    @abstractmethod
    def luminance(self) -> bool:
        """Compare the luminance of colour images; otherwise every channel value is a pixel."""

    @abstractmethod
    def samples(self, n: int) -> bool:
        """Return whether less than all of ``n`` images is taken, so that the result depends on the generator."""

    @abstractmethod
    def solve(
        self, similarity: Similarity, count: int, knowledge: Knowledge, rng: np.random.Generator | None
    ) -> tuple[AnyArray, int]:
        """Return ``count`` points of a similarity and the most exchanges of any start.

        ``rng`` is None where there is no sample.
        """

    @abstractmethod
    def depends_on(self) -> tuple[object, ...]:
        """Return the parameters that change what `solve` returns without a sample."""

    @abstractmethod
    def too_large(self, n: int, size: str) -> str:
        """Return what is wrong, and what to do, where all of ``n`` images would need a matrix of ``size``."""

    def check_group(self, n: int) -> None:
        """Refuse all of so many images that their matrix would not be kept."""
        if not (matrix_fits(n) or self.samples(n)):
            raise InvalidInput(self.too_large(n, f"{matrix_bytes(n) / 2**30:.1f} GiB"))

    def choose_within(self, ids: IntArray, count: int, knowledge: Knowledge, rng: np.random.Generator) -> IntArray:
        """Return ``count`` of ``ids`` as the solver, or an earlier call that asked the same, has chosen them."""
        return self.choose_and_tell(ids, count, knowledge, rng)[0]

    def choose_and_tell(
        self, ids: IntArray, count: int, knowledge: Knowledge, rng: np.random.Generator
    ) -> tuple[IntArray, dict[str, float]]:
        """Return the choice, and how many exchanges it took for each that was chosen, where it took any."""
        images = _compared(knowledge, ids, self.luminance)

        def solved(source: np.random.Generator | None) -> AnyArray:
            chosen, exchanges = self.solve(self._similarity(images, knowledge), count, knowledge, source)
            return np.append(chosen, exchanges)

        if self.samples(len(ids)):
            found = solved(rng)
        else:
            key = (f"{self.name}/2", images.digest(), count, *self.depends_on())
            found = knowledge.memo.array(key, lambda: solved(None))
        facts = {"exchanges_of_k": float(found[-1] / count)} if found[-1] else {}
        return ids[found[:-1]], facts

    def _similarity(self, images: Images, knowledge: Knowledge) -> Similarity:
        self.check_group(len(images))
        return _kept_matrix(images, knowledge) if matrix_fits(len(images)) else OnDemand(images.array)


def _compared(knowledge: Knowledge, ids: IntArray, by_luminance: bool) -> Images:
    """Return the pool's images at ``ids`` as they are compared: as they are, or their luminance."""
    pool = knowledge.pool if knowledge.compared is None else knowledge.compared
    images = cast(Images, pool.take(ids))
    return Images(luminance(images.array)) if by_luminance else images


def _kept_matrix(images: Images, knowledge: Knowledge) -> Dense:
    """Return the whole matrix of ``images`` from the memo, computed by the first who asks."""
    return Dense(
        knowledge.memo.array(
            ("mutual-information/1", images.digest()),
            lambda: mutual_information(
                images.array, progress=lambda share: knowledge.report("mutual information", share)
            ),
        )
    )
