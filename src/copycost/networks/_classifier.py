"""A network together with how bytes become its input: the one place where uint8 turns into float32."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, cast

import numpy as np
import torch
from torch import nn

from copycost._types import AnyArray, ByteArray, Float32Array, IntArray
from copycost.errors import InvalidInput
from copycost.inputs import Images, Inputs
from copycost.networks._device import device_of

__all__ = ["AnyClassifier", "Classifier"]


class AnyClassifier(Protocol):
    """What training, strategies and measures need of a classifier, whatever its medium.

    `encode` turns inputs into an array of one row an input, once; `tensor` turns some of those rows into what the
    network takes. So inputs stay small until they are needed.
    """

    network: nn.Module

    def __call__(self, batch: torch.Tensor, /) -> torch.Tensor:
        """Return logits (n, classes) of a batch, with gradients."""
        ...

    def encode(self, inputs: Inputs) -> AnyArray:
        """Return an array of one row an input."""
        ...

    def tensor(self, rows: AnyArray) -> torch.Tensor:
        """Return the network's input for some rows of what `encode` returned."""
        ...

    def probabilities(self, inputs: Inputs) -> Float32Array:
        """Return softmax probabilities (n, classes)."""
        ...

    def labels(self, inputs: Inputs) -> IntArray:
        """Return the most probable class of each input (n,)."""
        ...


_BATCH = 256  # inputs in one forward pass: small enough to stay in cache


class Classifier:
    """A network over images in [0, 1], with optional mean and deviation for each channel.

    Calling it maps float32 images (n, channels, height, width) in [0, 1] to logits (n, classes), with gradients;
    `probabilities` and `labels` take `Images` and keep none.

    Parameters
    ----------
    network : module from normalised images to logits
    mean, deviation : one number a channel (or one for all), in units of [0, 1]
    """

    def __init__(
        self, network: nn.Module, *, mean: Sequence[float] = (0.0,), deviation: Sequence[float] = (1.0,)
    ) -> None:
        if any(not value > 0 for value in deviation):
            raise InvalidInput(f"deviation is {tuple(deviation)}; every channel needs a number above 0.")
        self.network = network
        self._plain = tuple(mean) == (0.0,) and tuple(deviation) == (1.0,)
        self._mean = torch.tensor(mean).view(1, -1, 1, 1)
        self._deviation = torch.tensor(deviation).view(1, -1, 1, 1)

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """Return logits (n, classes) of float32 images (n, channels, height, width) in [0, 1]."""
        if not self._plain:
            images = (images - self._mean.to(images.device)) / self._deviation.to(images.device)
        logits: torch.Tensor = self.network(images)
        return logits

    def encode(self, inputs: Inputs) -> ByteArray:
        """Return the bytes of images as they are (n, height, width, channels)."""
        return cast(Images, inputs).array

    def tensor(self, rows: AnyArray) -> torch.Tensor:
        """Return float32 (n, channels, height, width) in [0, 1] of uint8 (n, height, width, channels), where it is."""
        return to_float(rows, device_of(self.network))

    def probabilities(self, inputs: Inputs) -> Float32Array:
        """Return softmax probabilities (n, classes), in evaluation mode and without gradients."""
        return row_probabilities(self, self.encode(inputs))

    def labels(self, inputs: Inputs) -> IntArray:
        """Return the most probable class of each image (n,)."""
        labels: IntArray = self.probabilities(inputs).argmax(axis=1)
        return labels


def row_probabilities(classifier: AnyClassifier, rows: AnyArray) -> Float32Array:
    """Return softmax probabilities (n, classes) of encoded inputs, in evaluation mode and without gradients."""
    network = classifier.network
    was_training = network.training
    network.eval()
    with torch.inference_mode():
        parts = [
            torch.softmax(classifier(classifier.tensor(rows[start : start + _BATCH])), dim=1)
            for start in range(0, max(len(rows), 1), _BATCH)
        ]
    network.train(was_training)
    return np.concatenate([part.cpu().numpy() for part in parts])


def to_float(array: ByteArray, device: torch.device) -> torch.Tensor:
    """Return float32 (n, channels, height, width) in [0, 1] on a device, of uint8 (n, height, width, channels)."""
    if device.type == "cpu":
        return torch.from_numpy(np.ascontiguousarray(array.transpose(0, 3, 1, 2), dtype=np.float32)).div_(255)
    # bytes travel: a quarter of the floats. A number that lies there divides; one of Python's is turned over first
    by = torch.tensor(255.0, device=device)
    return torch.tensor(array, device=device).permute(0, 3, 1, 2).to(torch.float32).contiguous().div_(by)
