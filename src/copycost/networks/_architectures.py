"""Named architectures, each a function of image shape and number of classes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from copycost.errors import InvalidInput
from copycost.networks._random import seeded
from copycost.networks._torchvision import PREFIX, build_torchvision, check_torchvision

__all__ = ["ARCHITECTURES", "build", "check_architecture"]

Shape = tuple[int, int, int]


def _lenet5(shape: Shape, classes: int) -> nn.Module:
    """LeNet-5 with max pooling (DRMI, section 5.1): 2 convolutions, 2 poolings, 3 fully connected layers.

    The first convolution is padded by 2, as the original network takes 32 x 32 for a 28 x 28 digit.
    """
    features = nn.Sequential(
        nn.Conv2d(shape[2], 6, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
    )
    return nn.Sequential(*features, *_head(_width(features, shape), [120, 84], classes))


def _c3f2(shape: Shape, classes: int) -> nn.Module:
    """C3F2 with the sizes of DRMI's Table 1: 3 convolutions, 2 poolings, 2 fully connected layers."""
    features = nn.Sequential(
        nn.Conv2d(shape[2], 16, 5),
        nn.ReLU(),
        nn.Conv2d(16, 32, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
    )
    return nn.Sequential(*features, *_head(_width(features, shape), [100], classes))


def _dnn5(shape: Shape, classes: int) -> nn.Module:
    """DNN5 with the sizes of DRMI's Table 2: fully connected 512, 256, 128, 64."""
    return nn.Sequential(nn.Flatten(), *_head(int(np.prod(shape)), [512, 256, 128, 64], classes))


ARCHITECTURES: dict[str, Callable[[Shape, int], nn.Module]] = {
    "lenet5": _lenet5,
    "c3f2": _c3f2,
    "dnn5": _dnn5,
}


def check_architecture(name: str) -> None:
    """Raise `InvalidInput` for a name that is neither one of `ARCHITECTURES` nor ``torchvision:NAME``."""
    if name.startswith(PREFIX):
        check_torchvision(name)
    elif name not in ARCHITECTURES:
        raise InvalidInput(
            f"the architecture is {name!r}; known are {', '.join(ARCHITECTURES)}, and for weights from a file also "
            f"{PREFIX}NAME, such as {PREFIX}resnet18."
        )


def build(name: str, shape: Shape, classes: int, *, rng: np.random.Generator) -> nn.Module:
    """Build a network with initial weights drawn from ``rng``.

    Parameters
    ----------
    name : a key of `ARCHITECTURES`, or ``torchvision:NAME`` for one of torchvision's classifiers
    shape : height, width and channels of its images
    classes : number of classes
    rng : source of the initial weights

    Raises
    ------
    InvalidInput
        For an unknown name, or images that are too small for the architecture or that it does not take.
    """
    check_architecture(name)
    with seeded(rng):
        if name.startswith(PREFIX):
            return build_torchvision(name, shape, classes)
        try:
            return ARCHITECTURES[name](shape, classes)
        except RuntimeError as error:
            raise InvalidInput(
                f"images of shape {shape} (height, width, channels) are too small for {name}; enlarge them or "
                f"choose another."
            ) from error


def _width(features: nn.Module, shape: Shape) -> int:
    height, width, channels = shape
    with torch.no_grad():
        return int(features(torch.zeros(1, channels, height, width)).shape[1])


def _head(width: int, hidden: list[int], classes: int) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for size in hidden:
        layers += [nn.Linear(width, size), nn.ReLU()]
        width = size
    return [*layers, nn.Linear(width, classes)]
