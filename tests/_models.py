"""Targets that tests name as ``module:function``."""

import numpy as np
import numpy.typing as npt


def by_ink(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """Ten classes by how much ink an image has, as probabilities: a target that is deterministic and quick."""
    ink = images.reshape(len(images), -1).mean(axis=1) / 255
    distance = np.abs(ink[:, None] - np.linspace(0.03, 0.3, 10)[None])
    scores = np.exp(-80 * distance)
    rows: npt.NDArray[np.float64] = scores / scores.sum(axis=1, keepdims=True)
    return rows


def labels_by_ink(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """The same, labels alone."""
    labels: npt.NDArray[np.int64] = by_ink(images).argmax(axis=1)
    return labels


def at_random(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """A target that never answers the same way twice."""
    return np.random.default_rng().integers(0, 10, len(images))


def broken(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """A target that raises."""
    raise ValueError("no model today")


def logits(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """A target that forgot its softmax."""
    return np.log(by_ink(images) + 1e-9)
