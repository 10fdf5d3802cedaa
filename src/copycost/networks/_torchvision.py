"""torchvision's classification architectures, by name and without weights."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from copycost.errors import InvalidInput, MissingExtra

__all__ = ["PREFIX", "build_torchvision", "check_torchvision", "has_auxiliary"]

PREFIX = "torchvision:"

_WITH_AUXILIARY = {"googlenet": ("aux1.", "aux2."), "inception_v3": ("AuxLogits.",)}


def check_torchvision(name: str) -> str:
    """Return the name without its prefix.

    Raises
    ------
    InvalidInput
        For a name that torchvision does not know, with the nearest ones.
    MissingExtra
        If torchvision is not installed.
    """
    known = _known()
    plain = name.removeprefix(PREFIX)
    if plain not in known:
        near = difflib.get_close_matches(plain, known, n=3) or ["resnet18", "mobilenet_v3_small", "vit_b_16"]
        raise InvalidInput(
            f"the architecture is {name!r}, which torchvision has not among its classifiers; near it are "
            f"{', '.join(PREFIX + part for part in near)}."
        )
    return plain


def has_auxiliary(name: str, weights: Iterable[str]) -> bool:
    """Return whether weights of such names are those of a network with auxiliary heads.

    Examples
    --------
    >>> has_auxiliary("torchvision:inception_v3", ["fc.bias", "AuxLogits.fc.bias"])
    True
    """
    heads = _WITH_AUXILIARY.get(name.removeprefix(PREFIX), ())
    return any(weight.startswith(head) for weight in weights for head in heads)


def build_torchvision(name: str, shape: tuple[int, int, int], classes: int, *, auxiliary: bool = False) -> nn.Module:
    """Build a network of torchvision that takes images of a shape and gives logits; its weights are new.

    Transformers are built for the size of the images, as their weights depend on it. ``inception_v3`` and ``googlenet``
    have auxiliary heads only where these are asked for: in training they would give several logits an image, and the
    one training loop has a single loss. Neither changes its input (torchvision's ``transform_input`` is off).

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
    if plain in _WITH_AUXILIARY:
        options |= {"aux_logits": auxiliary, "init_weights": True}
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


@functools.cache
def _known() -> frozenset[str]:
    models = _models()
    return frozenset(models.list_models(module=models))


def _models() -> Any:
    try:
        from torchvision import models
    except (ImportError, RuntimeError) as error:  # RuntimeError where its build does not match torch's
        raise MissingExtra(
            f"torchvision's architectures need torchvision ({error}); install it with: pip install 'copycost[audit]'"
        ) from None
    return models
