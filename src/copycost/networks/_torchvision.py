"""torchvision's classification architectures, by name and without weights."""

from __future__ import annotations

import difflib
from typing import Any

import torch
from torch import nn

from copycost.errors import InvalidInput, MissingExtra

__all__ = ["PREFIX", "build_torchvision", "check_torchvision"]

PREFIX = "torchvision:"

# their own initial weights are slow and warn of a change to come; weights from a file replace them
_OLD_START = ("googlenet", "inception_v3")


def check_torchvision(name: str) -> str:
    """Return the name without its prefix.

    Raises
    ------
    InvalidInput
        For a name that torchvision does not know, with the nearest ones.
    MissingExtra
        If torchvision is not installed.
    """
    models = _models()
    known = models.list_models(module=models)
    plain = name.removeprefix(PREFIX)
    if plain not in known:
        near = difflib.get_close_matches(plain, known, n=3) or ["resnet18", "mobilenet_v3_small", "vit_b_16"]
        raise InvalidInput(
            f"the architecture is {name!r}, which torchvision has not among its classifiers; near it are "
            f"{', '.join(PREFIX + part for part in near)}."
        )
    return plain


def build_torchvision(name: str, shape: tuple[int, int, int], classes: int) -> nn.Module:
    """Build a network of torchvision that takes images of a shape and gives logits.

    Transformers are built for the size of the images, as their weights depend on it.

    Raises
    ------
    InvalidInput
        For an unknown name, images that are not colour, or a size that the network does not take.
    """
    plain = check_torchvision(name)
    height, width, channels = shape
    if channels != 3:
        raise InvalidInput(
            f"images of shape {shape} (height, width, channels) are not colour; {name} takes 3 channels. Convert them."
        )
    options: dict[str, Any] = {}
    if plain in _OLD_START:
        options["init_weights"] = False
    if plain.startswith("vit_"):
        options["image_size"] = height
    if plain.startswith("maxvit_"):
        options["input_size"] = (height, width)
    try:
        network: nn.Module = _models().get_model(plain, weights=None, num_classes=classes, **options)
        network.eval()
        with torch.inference_mode():
            network(torch.zeros(1, channels, height, width))
    except (RuntimeError, ValueError, AssertionError, ZeroDivisionError) as error:
        raise InvalidInput(
            f"images of shape {shape} (height, width, channels) are of a size that {name} does not take "
            f"({str(error).splitlines()[0] if str(error) else type(error).__name__}); resize them."
        ) from error
    return network.train()


def _models() -> Any:
    try:
        from torchvision import models
    except (ImportError, RuntimeError) as error:  # RuntimeError where its build does not match torch's
        raise MissingExtra(
            f"torchvision's architectures need torchvision ({error}); install it with: pip install 'copycost[audit]'"
        ) from None
    return models
