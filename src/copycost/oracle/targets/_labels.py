"""Known labels as answers: the target of a plain data-reduction study."""

from __future__ import annotations

import hashlib

import numpy as np

from copycost._types import AnyArray, IntArray
from copycost.errors import InvalidInput
from copycost.inputs import Inputs
from copycost.oracle.targets._base import Target

__all__ = ["LabelTarget"]


class LabelTarget(Target):
    """Answers each known input with its true label, and nothing else: what a perfect target would say.

    Parameters
    ----------
    inputs : the inputs it knows
    labels : int64 array (n,), one label an input; of two labels for one input the first counts
    classes : number of classes

    Raises
    ------
    InvalidInput
        If there is not one label from 0 to ``classes - 1`` for each input.
    """

    name = "labels"
    gives_probabilities = False
    answers_new = False

    def __init__(self, inputs: Inputs, labels: IntArray, classes: int) -> None:
        if labels.shape != (len(inputs),):
            raise InvalidInput(
                f"labels have shape {labels.shape} for {len(inputs)} inputs; one label an input is needed."
            )
        if len(labels) and (labels.min() < 0 or labels.max() >= classes):
            raise InvalidInput(
                f"labels go from {labels.min()} to {labels.max()}, but there are {classes} classes; "
                f"0 to {classes - 1} is allowed."
            )
        self.classes = classes
        self.medium = inputs.medium
        self._known: dict[bytes, int] = {}
        for digest, label in zip(inputs.digests(), labels, strict=True):
            self._known.setdefault(digest, int(label))

    def check(self, inputs: Inputs) -> None:
        """Raise `InvalidInput` for inputs whose label it does not know, before anything is charged."""
        super().check(inputs)
        new = sum(digest not in self._known for digest in inputs.digests())
        if new:
            raise InvalidInput(
                f"the target 'labels' knows the labels of the pool and the test set alone; {new} of the "
                f"{len(inputs)} inputs are new, which it cannot answer."
            )

    def reply(self, inputs: Inputs) -> AnyArray:
        """Return the true labels (n,)."""
        self.check(inputs)
        return np.array([self._known[digest] for digest in inputs.digests()], dtype=np.int64)

    def fingerprint(self) -> str:
        """Return the hash of every known input and its label."""
        whole = hashlib.sha256()
        for digest in sorted(self._known):
            whole.update(digest + self._known[digest].to_bytes(8, "little"))
        return f"labels-{whole.hexdigest()}"
