"""Known labels as answers: the target of a plain data-reduction study."""

from __future__ import annotations

import hashlib

import numpy as np

from copycost._types import AnyArray, IntArray
from copycost.errors import TargetError
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
    """

    name = "labels"
    gives_probabilities = False
    answers_new = False

    def __init__(self, inputs: Inputs, labels: IntArray, classes: int) -> None:
        self.classes = classes
        self.medium = inputs.medium
        self._known: dict[bytes, int] = {}
        for digest, label in zip(inputs.digests(), labels, strict=True):
            self._known.setdefault(digest, int(label))

    def reply(self, inputs: Inputs) -> AnyArray:
        """Return the true labels (n,)."""
        try:
            return np.array([self._known[digest] for digest in inputs.digests()], dtype=np.int64)
        except KeyError:
            raise TargetError("the target 'labels' knows the labels of the pool and the test set alone; it cannot answer a new input.") from None

    def fingerprint(self) -> str:
        """Return the hash of every known input and its label."""
        whole = hashlib.sha256()
        for digest in sorted(self._known):
            whole.update(digest + self._known[digest].to_bytes(8, "little"))
        return f"labels-{whole.hexdigest()}"
