"""What is asked of a reduction, and what it finds."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from copycost._types import IntArray
from copycost.datasets import Dataset, Transform
from copycost.errors import InvalidInput
from copycost.reduce._choice import Nearest, Sampled
from copycost.reduce._curve import Point
from copycost.reduce._duplicates import Duplicates
from copycost.reduce._estimate import Estimate
from copycost.reduce._output import Output
from copycost.reduce._pool import Pool
from copycost.reduce._solvers import SOLVERS
from copycost.similarity import Similarity

__all__ = ["Found", "Plan", "Request"]


@dataclass(frozen=True)
class Request:
    """What a user asks for; the command's options, with their defaults.

    Attributes
    ----------
    pool, out : str
        As the command takes them.
    size : int or None
        Images in the reduced set; None for the largest of ``sizes``.
    sizes : str or None
        Sizes of the curve, with commas.
    strategy : {"coverage", "drmi", "random"}
    by_label : bool
        Reduce every class to its share.
    keep : Path or None
        File that names what must be in.
    seed : int
    reference : int or None
        Images to be covered: a sample of so many, or all.
    transform : Transform or None
        What is done before images are compared; None for what `load_pool` does.
    duplicates : float
        Normalised mutual information, of 16 grey levels, from which a pair is listed as near-duplicates.
    accuracy : bool
        Measure accuracy at each of ``sizes`` too, where labels are known and torch is installed.
    test : str or None
        Test set for accuracy.
    skip_bad, link, overwrite : bool
    data_dir : Path or None
    command : str
        For the record.
    """

    pool: str
    out: str
    size: int | None = None
    sizes: str | None = None
    strategy: str = "coverage"
    by_label: bool = False
    keep: Path | None = None
    seed: int = 0
    reference: int | None = None
    transform: Transform | None = None
    duplicates: float = 0.65
    accuracy: bool = True
    test: str | None = None
    skip_bad: bool = False
    link: bool = False
    overwrite: bool = False
    data_dir: Path | None = None
    command: str = ""

    def __post_init__(self) -> None:
        if self.strategy not in SOLVERS:
            raise InvalidInput(f"the strategy is {self.strategy!r}; {', '.join(SOLVERS)} are allowed.")
        if self.size is None and self.sizes is None:
            raise InvalidInput("no size is given; say how many images to choose with --size, or --sizes for a curve.")
        if self.test is not None and (self.sizes is None or not self.accuracy):
            raise InvalidInput("a test set is given, which only accuracy by size needs; give --sizes, or leave it out.")
        if self.reference is not None and (self.reference < 1 or self.strategy != "coverage"):
            raise InvalidInput(
                f"the reference is {self.reference} with the strategy {self.strategy}; only coverage takes it, as a "
                "number of images of 1 or more."
            )
        if self.seed < 0:
            raise InvalidInput(f"the seed is {self.seed}; a whole number of 0 or more is needed.")


@dataclass(frozen=True, eq=False)
class Plan:
    """A request held against its pool."""

    request: Request
    output: Output
    pool: Pool
    size: int
    sizes: list[int]
    keep: IntArray
    reference: int | None
    estimate: Estimate
    test: Dataset | None = None


@dataclass(frozen=True, eq=False)
class Found:
    """What was chosen, and what is known about it."""

    similarity: Similarity
    chosen: IntArray
    sampled: Sampled | None
    nearest: Nearest
    duplicates: Duplicates
    points: list[Point] = field(default_factory=list)
