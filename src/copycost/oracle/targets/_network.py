"""A named architecture with weights from a safetensors file."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np

from copycost._types import AnyArray
from copycost.inputs import Images, Inputs
from copycost.networks import AnyClassifier, load_classifier
from copycost.oracle.targets._base import Target
from copycost.oracle.targets._probe import at_once
from copycost.oracle.targets._settings import check_channels

__all__ = ["NetworkTarget"]

_BATCH = 256  # what a classifier takes at once by itself


class NetworkTarget(Target):
    """A classifier of ours, or a file of its weights.

    Parameters
    ----------
    classifier : network and how bytes or words become its input
    shape : height, width and channels it takes; None where it takes texts
    classes : number of classes
    name : how reports call it
    fingerprint : hash of the file its weights came from, or None
    """

    def __init__(
        self,
        classifier: AnyClassifier,
        shape: tuple[int, int, int] | None,
        classes: int,
        *,
        name: str,
        fingerprint: str | None = None,
    ) -> None:
        self.name = name
        self.classes = classes
        self.shape = shape
        self.medium = "text" if shape is None else "image"
        self.classifier = classifier
        self._fingerprint = fingerprint

    @classmethod
    def load(
        cls,
        path: Path,
        architecture: str,
        shape: tuple[int, int, int] | None,
        classes: int,
        *,
        mean: Sequence[float] = (0.0,),
        deviation: Sequence[float] = (1.0,),
    ) -> NetworkTarget:
        """Read safetensors into a named architecture; of a text model (shape None) they hold the vocabulary too.

        Raises
        ------
        InvalidInput
            If the file cannot be read or does not fit, the architecture takes another medium, or mean and deviation are
            neither one number nor one a channel.
        """
        if shape is not None:
            check_channels(mean, deviation, shape[2])
        classifier = load_classifier(path, architecture, shape=shape, classes=classes, mean=mean, deviation=deviation)
        settings = f"{architecture} {[float(value) for value in (*mean, *deviation)]} ".encode()
        digest = hashlib.sha256(settings + path.read_bytes()).hexdigest()
        return cls(classifier, shape, classes, name=path.name, fingerprint=f"{architecture}-{digest}")

    def reply(self, inputs: Inputs) -> AnyArray:
        """Return softmax probabilities (n, classes)."""
        if self.shape is None:
            return self.classifier.probabilities(inputs)
        images = cast(Images, inputs)
        size = at_once(images.shape)
        if len(images) <= size or size >= _BATCH:
            return self.classifier.probabilities(images)
        parts = [range(start, min(start + size, len(images))) for start in range(0, len(images), size)]
        return np.concatenate([self.classifier.probabilities(images.take(part)) for part in parts])

    def fingerprint(self) -> str | None:
        """Return the architecture and the hash of the weights' file."""
        return self._fingerprint
