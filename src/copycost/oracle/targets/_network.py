"""A named architecture with weights from a safetensors file."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np

from copycost._types import AnyArray
from copycost.inputs import Images, Inputs
from copycost.networks import Classifier, build, load_weights
from copycost.oracle.targets._base import Target
from copycost.oracle.targets._probe import at_once
from copycost.oracle.targets._settings import check_channels

__all__ = ["NetworkTarget"]

_BATCH = 256  # what a classifier takes at once by itself


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
    def load(
        cls,
        path: Path,
        architecture: str,
        shape: tuple[int, int, int],
        classes: int,
        *,
        mean: Sequence[float] = (0.0,),
        deviation: Sequence[float] = (1.0,),
    ) -> NetworkTarget:
        """Read safetensors into a named architecture.

        Raises
        ------
        InvalidInput
            If the file cannot be read or does not fit, or mean and deviation are neither one number nor one a channel.
        """
        check_channels(mean, deviation, shape[2])
        network = build(architecture, shape, classes, rng=np.random.default_rng(0))
        load_weights(network, path)
        settings = f"{architecture} {[float(value) for value in (*mean, *deviation)]} ".encode()
        digest = hashlib.sha256(settings + path.read_bytes()).hexdigest()
        classifier = Classifier(network, mean=mean, deviation=deviation)
        return cls(classifier, shape, classes, name=path.name, fingerprint=f"{architecture}-{digest}")

    def reply(self, inputs: Inputs) -> AnyArray:
        """Return softmax probabilities (n, classes)."""
        images = cast(Images, inputs)
        size = at_once(images.shape)
        if len(images) <= size or size >= _BATCH:
            return self.classifier.probabilities(images)
        parts = [range(start, min(start + size, len(images))) for start in range(0, len(images), size)]
        return np.concatenate([self.classifier.probabilities(images.take(part)) for part in parts])

    def fingerprint(self) -> str | None:
        """Return the architecture and the hash of the weights' file."""
        return self._fingerprint
