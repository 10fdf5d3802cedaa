"""Making new inputs out of those asked so far, in rounds that double what was asked."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, cast

import numpy as np

from copycost._types import ByteArray, IntArray
from copycost.errors import InvalidInput
from copycost.inputs import Images
from copycost.strategies._base import Knowledge, Queries, Strategy
from copycost.strategies._substitute import evaluated, parts, the_substitute

if TYPE_CHECKING:
    from copycost.networks import AnyClassifier

__all__ = ["Augmentation"]

_PASSES = 8  # over the seeds in one choice, at most
_PART = 512  # images as floats at a time
_SECONDS = 2e-7  # for one pixel and one gradient of a small convolutional network


class Augmentation(Strategy):
    """A strategy that changes what was asked, members and new inputs alike, by the copy's gradients; it writes `make`.

    The inputs asked so far are the seeds. As many as are wanted are drawn from them without replacement, which is what
    reservoir sampling does; where more are wanted than there are, what was made serves as seed once more, under the
    same label and the same copy. What is made is rounded to bytes. One that was asked already, or was made before in
    this choice, is replaced by the next seed's; if eight passes over the seeds cannot make up for it, what is missing
    counts as dropped. The record keeps how many ``seeds`` there were and how many such ``duplicates``.

    A new input's parent is its seed's pool index, -1 where the seed is itself a new input.
    """

    from_pool: ClassVar[bool] = False
    media: ClassVar[frozenset[str]] = frozenset({"image"})

    @property
    def needs(self) -> frozenset[str]:
        """The copy of the round before."""
        return frozenset({"substitute"})

    def variants(self, classes: int) -> int:
        """Return how many different inputs `make` gives for one seed, where the target has so many classes."""
        return 1

    @property
    def gradients(self) -> int:
        """How many gradients `make` takes for one input."""
        return 1

    @abstractmethod
    def make(
        self,
        substitute: AnyClassifier,
        images: ByteArray,
        labels: IntArray,
        variants: IntArray,
        rng: np.random.Generator,
    ) -> ByteArray:
        """Return one new image for each seed.

        Parameters
        ----------
        substitute : the copy, in evaluation mode
        images : uint8 array (n, height, width, channels), the seeds
        labels : int64 array (n,), what the target answered to them
        variants : int64 array (n,), which variant of each is wanted, below `variants`
        rng : source of what is drawn
        """

    def round_sizes(self, total: int, rounds: int, start: int | None = None) -> tuple[int, ...]:
        """Return rounds that each ask as many as were asked before them; the last is cut to what is left.

        Where ``start`` is not known, the first round is the smallest from which doubling reaches ``total``.

        Raises
        ------
        InvalidInput
            If so many rounds of doubling do not reach ``total``.
        """
        held = -(-total // (2**rounds - 1)) if start is None else start
        if held < 1 or total < 1:
            raise InvalidInput(
                f"{total} queries are left for the rounds of strategy '{self}' after a start of {held}; at least one "
                "for each is needed: raise the budget or change seed_share."
            )
        sizes, left, first = [], total, held
        while left:
            sizes.append(min(held, left))
            left -= sizes[-1]
            held += sizes[-1]
        if len(sizes) > rounds:
            raise InvalidInput(
                f"strategy '{self}' doubles what was asked in each round, and {total} queries after a start of {first} "
                f"take {len(sizes)} rounds; rounds is {rounds}: raise it to {len(sizes)}, or raise seed_share."
            )
        for size in sizes:
            self.check_count(size, total)
        return tuple(sizes)

    def choose(self, knowledge: Knowledge, k: int, *, rng: np.random.Generator) -> Queries:
        """Return ``k`` new inputs, or as many as can be made."""
        seeds = cast(Images | None, knowledge.inputs)
        if seeds is None or not len(seeds) or len(knowledge.input_answers) != len(seeds):
            given = 0 if seeds is None else len(seeds)
            raise InvalidInput(
                f"strategy '{self}' makes new inputs of those asked before, and is given {given} with "
                f"{len(knowledge.input_answers)} answers; at least one, and an answer for each, is needed: ask some of "
                "the pool first."
            )
        digests = seeds.digests()
        seen = set(digests)
        rows, made, met = self._made(knowledge, seeds, k, seen, rng)
        array = np.stack(made) if made else np.zeros((0, *seeds.shape), np.uint8)
        array.flags.writeable = False
        nowhere = np.full(len(made), -1, np.int64)
        facts = {"seeds": len(seeds), "duplicates": met}
        parents = _pool_indices(knowledge, [digests[row] for row in rows])
        return Queries(Images(array), nowhere, parents, k - len(made), facts)

    def seconds(self, knowledge: Knowledge, k: int) -> float:
        """Return the time of the gradients on a small convolutional network; a deep one takes many times as long."""
        return k * self.gradients * math.prod(cast(Images, knowledge.pool).shape) * _SECONDS

    def _made(
        self, knowledge: Knowledge, seeds: Images, k: int, seen: set[bytes], rng: np.random.Generator
    ) -> tuple[list[int], list[ByteArray], int]:
        """Return the seed of each new image, the image, and how many duplicates were met; ``seen`` grows."""
        substitute, labels = the_substitute(knowledge), knowledge.input_answers.labels
        current: dict[int, ByteArray] = {}
        rows: list[int] = []
        made: list[ByteArray] = []
        met = 0
        with evaluated(substitute):
            for _ in range(_PASSES):
                waiting = rng.permutation(len(seeds) * self.variants(knowledge.classes))
                while len(made) < k and len(waiting):
                    some = parts(waiting[: k - len(made)], _PART)[0]
                    waiting = waiting[len(some) :]
                    owners, variants = some % len(seeds), some // len(seeds)
                    images = np.stack([current.get(at, seeds.array[at % len(seeds)]) for at in some.tolist()])
                    new = self.make(substitute, images, labels[owners], variants, rng)
                    current |= zip(some.tolist(), new, strict=True)
                    for row, image, digest in zip(owners.tolist(), new, Images(new).digests(), strict=True):
                        met += digest in seen
                        if digest not in seen:
                            seen.add(digest)
                            rows.append(row)
                            made.append(image)
                    knowledge.report("making inputs", len(made) / k)
                if len(made) == k:
                    break
        return rows, made, met


def _pool_indices(knowledge: Knowledge, digests: list[bytes]) -> IntArray:
    """Return the pool index of each seed, -1 for one that is no member asked before."""
    members = knowledge.pool.take(knowledge.asked).digests()
    known = dict(zip(members, knowledge.asked.tolist(), strict=True))
    return np.array([known.get(digest, -1) for digest in digests], np.int64)
