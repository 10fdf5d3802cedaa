"""A named architecture with weights from a safetensors file."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import cast

import numpy as np

from copycost._types import AnyArray
from copycost.inputs import Images, Inputs
from copycost.networks import Classifier, build, load_weights
from copycost.oracle.targets._base import Target

__all__ = ["NetworkTarget"]


class NetworkTarget(Target):
    """A classifier of ours, or a file of its weights.

    Parameters
    ----------
    classifier : network and how bytes become its input
    shape : height, width and channels it takes
    classes : number of classes
    name : how reports call it
    fingerprint : hash of the file its weights came from, or None
    """

    def __init__(
        self,
        classifier: Classifier,
        shape: tuple[int, int, int],
        classes: int,
        *,
        name: str,
        fingerprint: str | None = None,
    ) -> None:
        self.name = name
        self.classes = classes
        self.shape = shape
        self.classifier = classifier
        self._fingerprint = fingerprint

    @classmethod
    def load(cls, path: Path, architecture: str, shape: tuple[int, int, int], classes: int) -> NetworkTarget:
        """Read safetensors into a named architecture."""
        network = build(architecture, shape, classes, rng=np.random.default_rng(0))
        load_weights(network, path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return cls(
            Classifier(network), shape, classes, name=path.name, fingerprint=f"{architecture}-{digest}"
        )

    def reply(self, inputs: Inputs) -> AnyArray:
        """Return softmax probabilities (n, classes)."""
        return self.classifier.probabilities(cast(Images, inputs))

    def fingerprint(self) -> str | None:
        """Return the architecture and the hash of the weights' file."""
        return self._fingerprint
