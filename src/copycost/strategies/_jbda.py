"""JbDA: new queries one step away from those asked, along the copy's Jacobian."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch

from copycost._types import ByteArray, IntArray
from copycost.adversarial import round_to_bytes
from copycost.adversarial._synthetic import sign_steps
from copycost.errors import InvalidInput
from copycost.strategies._augmentation import Augmentation

if TYPE_CHECKING:
    from copycost.networks import AnyClassifier

__all__ = ["JbDA"]


@dataclass(frozen=True)
class JbDA(Augmentation):
    """x + step sgn(J[y](x)) for inputs x asked so far, y the target's answer to x and J the copy's Jacobian.

    Algorithm 1 of the paper, with its step as default. Rounds double what was asked, and the last is cut to the budget
    by a draw without replacement (reservoir sampling, which Papernot et al. 2016 add). The sign of a row of the
    Jacobian of the probabilities is taken as that of the log-odds, which is the same and does not vanish where the copy
    is sure. The step does not change sign between rounds.

    Attributes
    ----------
    step : float
        lambda, by how much every pixel is moved, on the scale of [0, 1].
    """

    name: ClassVar[str] = "jbda"
    source: ClassVar[str] = (
        'Papernot et al., "Practical black-box attacks against machine learning", 2017, Algorithm 1; reservoir '
        'sampling: Papernot, McDaniel and Goodfellow, "Transferability in machine learning", 2016; DRMI, Table 8, '
        "Practical"
    )

    step: float = 0.1

    def __post_init__(self) -> None:
        if not 0 < self.step <= 1:
            raise InvalidInput(f"jbda step is {self.step:g}; a number above 0 and at most 1 is needed, such as 0.1.")

    def make(
        self,
        substitute: AnyClassifier,
        images: ByteArray,
        labels: IntArray,
        variants: IntArray,
        rng: np.random.Generator,
    ) -> ByteArray:
        """Return each seed one step further; nothing is drawn."""
        batch = substitute.tensor(images)
        return round_to_bytes(sign_steps(substitute, batch, torch.from_numpy(labels), step=self.step))
