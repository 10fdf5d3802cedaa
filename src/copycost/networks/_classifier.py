"""A network together with how bytes become its input: the one place where uint8 turns into float32."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from copycost._types import ByteArray, Float32Array, IntArray
from copycost.errors import InvalidInput
from copycost.inputs import Images

__all__ = ["Classifier"]

_BATCH = 256  # images in one forward pass: small enough to stay in cache


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

    def probabilities(self, images: Images) -> Float32Array:
        """Return softmax probabilities (n, classes), in evaluation mode and without gradients."""
        was_training = self.network.training
        self.network.eval()
        with torch.inference_mode():
            rows = [torch.softmax(self(to_float(part)), dim=1) for part in batches(images)]
        self.network.train(was_training)
        return np.concatenate([row.numpy() for row in rows])

    def labels(self, images: Images) -> IntArray:
        """Return the most probable class of each image (n,)."""
        labels: IntArray = self.probabilities(images).argmax(axis=1)
        return labels


def batches(images: Images, size: int = _BATCH) -> list[ByteArray]:
    """Return views of at most ``size`` images; one empty view where there are none."""
    return [images.array[start : start + size] for start in range(0, max(len(images), 1), size)]


def to_float(array: ByteArray) -> torch.Tensor:
    """Return float32 (n, channels, height, width) in [0, 1] of uint8 (n, height, width, channels)."""
    return torch.from_numpy(np.ascontiguousarray(array.transpose(0, 3, 1, 2), dtype=np.float32)).div_(255)
