"""PRADA's extraction attack: new queries out of old ones, towards other classes, away from their own, or recoloured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import torch

from copycost._types import AnyArray, ByteArray, IntArray
from copycost.adversarial import round_to_bytes
from copycost.adversarial._synthetic import shift_channels, sign_steps
from copycost.errors import InvalidInput
from copycost.strategies._augmentation import Augmentation

if TYPE_CHECKING:
    from copycost.networks import AnyClassifier

__all__ = ["PRADA"]

_ITERATED = ("t-rnd-i-fgsm", "jb-topk")


@dataclass(frozen=True)
class PRADA(Augmentation):
    """The synthetic inputs of Juuti et al., in rounds that double what was asked.

    With x an input asked so far, y the target's answer to it and c another class, ``method`` is one of

    ``t-rnd-fgsm``
        one step towards a class c drawn uniformly from all but y;
    ``t-rnd-i-fgsm``
        the same in several steps, each along a new gradient;
    ``n-fgsm``
        one step away from y;
    ``color``
        every channel made brighter or darker as a whole, drawn for each; of a grey image, all of it;
    ``jb-topk``
        several steps towards one of the ``topk`` classes, y left out, that the copy finds most probable; a seed gives
        one input for each, of which as many as are wanted are drawn;
    ``jb-self``
        one step away from the class that the copy itself gives x, whatever the target has answered.

    The first four follow the paper, without its search for training settings. The last two are named by DRMI, section
    6, which does not define them; they are defined here. The step of 64 levels and the number of iterations are those
    of the paper's attack T-RND-64 as far as known. Gradients are taken of log-odds, whose signs are those of the cross
    entropy and which do not vanish where the copy is sure.

    Attributes
    ----------
    method : str
    step : float
        By how much a pixel is moved in all, on the scale of [0, 1].
    iterations : int
        Steps of the methods that take several.
    topk : int
        Classes of ``jb-topk``; all others where there are fewer.
    """

    name: ClassVar[str] = "prada"
    source: ClassVar[str] = (
        'Juuti et al., "PRADA: protecting against DNN model stealing attacks", 2019, model extraction attack; DRMI, '
        "section 6 and Table 8"
    )

    method: Literal["t-rnd-fgsm", "t-rnd-i-fgsm", "n-fgsm", "color", "jb-topk", "jb-self"] = "t-rnd-i-fgsm"
    step: float = 64 / 255
    iterations: int = 11
    topk: int = 3

    def __post_init__(self) -> None:
        if not 0 < self.step <= 1:
            raise InvalidInput(f"prada step is {self.step:g}; a number above 0 and at most 1 is needed, such as 0.25.")
        if self.iterations < 1:
            raise InvalidInput(f"prada iterations is {self.iterations}; 1 or more is needed.")
        if self.topk < 1:
            raise InvalidInput(f"prada topk is {self.topk}; 1 or more is needed.")

    def variants(self, classes: int) -> int:
        """Return one for each of the nearest classes, of which there is one less than all, or one."""
        return max(1, min(self.topk, classes - 1)) if self.method == "jb-topk" else 1

    @property
    def gradients(self) -> int:
        """As many as there are steps."""
        return self.iterations if self.method in _ITERATED else 1

    def make(
        self,
        substitute: AnyClassifier,
        images: ByteArray,
        labels: IntArray,
        variants: IntArray,
        rng: np.random.Generator,
    ) -> ByteArray:
        """Return each seed changed; classes, or channels, are drawn where the method draws them."""
        batch = substitute.tensor(images)
        if self.method == "color":
            return round_to_bytes(shift_channels(batch, step=self.step, rng=rng))
        with torch.no_grad():
            logits = substitute(batch).cpu().numpy()
        if self.method == "n-fgsm":
            classes = labels
        elif self.method == "jb-self":
            classes = logits.argmax(axis=1)
        elif self.method == "jb-topk":
            classes = _nearest(logits, labels, variants)
        else:
            classes = (labels + rng.integers(1, logits.shape[1], len(labels))) % logits.shape[1]
        made = sign_steps(
            substitute,
            batch,
            torch.from_numpy(classes),
            step=self.step,
            iterations=self.gradients,
            away=self.method in ("n-fgsm", "jb-self"),
        )
        return round_to_bytes(made)


def _nearest(logits: AnyArray, labels: IntArray, ranks: IntArray) -> IntArray:
    """Return the class of each rank among all but the labels, the most probable first; the lowest class wins ties."""
    rows = np.arange(len(labels))
    others = logits.astype(np.float64)
    others[rows, labels] = -np.inf
    order = np.argsort(-others, axis=1, kind="stable")
    nearest: IntArray = order[rows, ranks % (logits.shape[1] - 1)]
    return nearest
