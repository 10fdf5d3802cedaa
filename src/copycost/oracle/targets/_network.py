"""A named architecture with weights from a safetensors file."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np

from copycost._types import AnyArray
from copycost.errors import InvalidInput
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
        for name, values in (("mean", mean), ("deviation", deviation)):
            if len(values) not in (1, shape[2]):
                raise InvalidInput(
                    f"the target's {name} has {len(values)} numbers; one, or one for each of {shape[2]} "
                    f"channels, is needed."
                )
        network = build(architecture, shape, classes, rng=np.random.default_rng(0))
        load_weights(network, path)
        settings = f"{architecture} {[float(value) for value in (*mean, *deviation)]} ".encode()
        digest = hashlib.sha256(settings + path.read_bytes()).hexdigest()
        classifier = Classifier(network, mean=mean, deviation=deviation)
        return cls(classifier, shape, classes, name=path.name, fingerprint=f"{architecture}-{digest}")

    def reply(self, inputs: Inputs) -> AnyArray:
        """Return softmax probabilities (n, classes)."""
        return self.classifier.probabilities(cast(Images, inputs))

    def fingerprint(self) -> str | None:
        """Return the architecture and the hash of the weights' file."""
        return self._fingerprint
