"""Named architectures: what there is, how it is written, and building one for images."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import numpy as np
from torch import nn

from copycost.errors import InvalidInput
from copycost.networks._activethief import activethief
from copycost.networks._drmi import c3f2, dnn5, lenet5
from copycost.networks._kim import Kim
from copycost.networks._notation import Parameter, Value, nearest, read_settings, written
from copycost.networks._random import seeded
from copycost.networks._resnet18 import resnet18
from copycost.networks._thesis import alexnet, resnet, vgg
from copycost.networks._torchvision import PREFIX, build_torchvision, check_torchvision

__all__ = ["ARCHITECTURES", "Architecture", "architecture", "build", "check_architecture", "parse"]

Shape = tuple[int, int, int]
Medium = Literal["image", "text"]


@dataclass(frozen=True)
class Architecture:
    """A function that builds a network, and the parameters that it takes by keyword.

    Attributes
    ----------
    builder : callable
        For images (shape, number of classes), for texts (table of word vectors, number of classes).
    parameters : mapping of str to Parameter
        In the order in which they are written.
    medium : {"image", "text"}
    """

    builder: Callable[..., nn.Module]
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    medium: Medium = "image"

    def __call__(self, start: Any, classes: int, **settings: Value) -> nn.Module:
        """Build the network; parameters that are left out have their defaults."""
        defaults = {name: parameter.default for name, parameter in self.parameters.items()}
        return self.builder(start, classes, **{**defaults, **settings})


_DROPOUT = {"dropout": Parameter(0.1, 0, 0.95)}
_THIEF = {"width": Parameter(32, 1, 1024), **_DROPOUT}
_FACTOR = {"width": Parameter(1.0, 0.01, 4)}
_ALEXNET = {**_FACTOR, "dropout": Parameter(0.0, 0, 0.95)}

ARCHITECTURES: dict[str, Architecture] = {
    "lenet5": Architecture(lenet5),
    "c3f2": Architecture(c3f2),
    "dnn5": Architecture(dnn5),
    "activethief-lc": Architecture(partial(activethief, blocks=2), _THIEF),
    "activethief-bc": Architecture(partial(activethief, blocks=3), _THIEF),
    "activethief-hc": Architecture(partial(activethief, blocks=4), _THIEF),
    "alexnet": Architecture(alexnet, _ALEXNET),
    "vgg16": Architecture(partial(vgg, convolutions=(2, 2, 3, 3, 3)), _FACTOR),
    "vgg19": Architecture(partial(vgg, convolutions=(2, 2, 4, 4, 4)), _FACTOR),
    "resnet18": Architecture(resnet18, _FACTOR),
    "resnet50": Architecture(partial(resnet, blocks=(3, 4, 6, 3)), _FACTOR),
    "resnet101": Architecture(partial(resnet, blocks=(3, 4, 23, 3)), _FACTOR),
    "kim": Architecture(Kim, {"filters": Parameter(100, 1, 1000), **_DROPOUT}, "text"),
}

# what every architecture for texts takes besides: its vocabulary and its word vectors
TEXT_PARAMETERS = {
    "words": Parameter(20_000, 1, 1_000_000),
    "length": Parameter(200, 5, 10_000),
    "tuned": Parameter(False),
}


def parse(text: str) -> tuple[str, dict[str, Value]]:
    """Return an architecture's name and all its parameters, defaults included.

    Raises
    ------
    InvalidInput
        For an unknown name or parameter, or a value that is not allowed.
    MissingExtra
        For ``torchvision:NAME`` where torchvision is not installed.
    """
    name, *pairs = text.split() or [""]
    if name.startswith(PREFIX):
        check_torchvision(name)
    elif name not in ARCHITECTURES:
        raise InvalidInput(
            f"the architecture is {name!r}{nearest(name, ARCHITECTURES)}; known are {', '.join(ARCHITECTURES)}, and "
            f"torchvision's classifiers as {PREFIX}NAME, such as {PREFIX}resnet18."
        )
    return name, read_settings(name, pairs, _parameters(name))


def architecture(text: str) -> str:
    """Return how an architecture is written: its name, then what differs from the defaults, in a fixed order.

    Raises
    ------
    InvalidInput
        For an unknown name or parameter (the nearest known one is named), or a value that is not allowed.

    Examples
    --------
    >>> architecture("activethief-bc  dropout=0.20 width=8")
    'activethief-bc width=8 dropout=0.2'
    >>> architecture("kim length=200")
    'kim'
    """
    name, settings = parse(text)
    changed = {key: value for key, value in settings.items() if value != _parameters(name)[key].default}
    return " ".join([name, *(f"{key}={written(value)}" for key, value in changed.items())])


def check_architecture(text: str, medium: str = "image") -> None:
    """Raise `InvalidInput` for a text that names no architecture, or one whose inputs are of another medium."""
    name, _ = parse(text)
    own = "image" if name.startswith(PREFIX) else ARCHITECTURES[name].medium
    if own != medium:
        fitting = [known for known, entry in ARCHITECTURES.items() if entry.medium == medium]
        raise InvalidInput(
            f"the architecture is {text!r}, which takes {own}s, but the inputs are {medium}s; for these there are "
            f"{', '.join(fitting)}."
        )


def build(text: str, shape: Shape, classes: int, *, rng: np.random.Generator, auxiliary: bool = False) -> nn.Module:
    """Build a network for images with initial weights drawn from ``rng``; nothing is pretrained.

    Parameters
    ----------
    text : a key of `ARCHITECTURES`, perhaps with parameters, or ``torchvision:NAME`` for a classifier of torchvision
    shape : height, width and channels of its images
    classes : number of classes
    rng : source of the initial weights
    auxiliary : whether torchvision's ``inception_v3`` and ``googlenet`` have their auxiliary heads, as its own files of
        weights do; nothing here trains these

    Raises
    ------
    InvalidInput
        For an unknown name, one that takes texts, or images that are too small for it or that it does not take.
    """
    check_architecture(text)
    name, settings = parse(text)
    with seeded(rng):
        if name.startswith(PREFIX):
            return build_torchvision(name, shape, classes, auxiliary=auxiliary)
        try:
            return ARCHITECTURES[name](shape, classes, **settings)
        except RuntimeError as error:
            raise InvalidInput(
                f"images of shape {shape} (height, width, channels) are too small for {name}; enlarge them or "
                f"choose another."
            ) from error


def _parameters(name: str) -> dict[str, Parameter]:
    if name.startswith(PREFIX):
        return {}
    entry = ARCHITECTURES[name]
    return {**entry.parameters, **(TEXT_PARAMETERS if entry.medium == "text" else {})}
