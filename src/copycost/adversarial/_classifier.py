"""What all attacks ask of a classifier and of their arguments."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from copycost.errors import InvalidInput

# images in one pass: in the cache of a processor; many enough to fill an accelerator, few enough for its memory
_SMALL_BATCH, _LARGE_BATCH, _LARGE_PIXELS = 64, 1024, 4_000_000

__all__ = [
    "Classifier",
    "Progress",
    "check_at_least_one",
    "check_images",
    "check_labels",
    "check_non_negative",
    "check_norm",
    "differentiable_logits",
    "gradients_on",
    "images_at_once",
    "input_gradient",
    "predicted_logits",
]

Classifier = Callable[[torch.Tensor], torch.Tensor]
"""Maps float32 images (n, channels, height, width) in [0, 1] to logits (n, classes).

A module must be in evaluation mode: batch statistics and dropout would make the answer for one image depend
on the images beside it.
"""

Progress = Callable[[float], None]
"""Is called with the share of the work that is done, from 0 to 1."""


@contextmanager
def gradients_on() -> Iterator[None]:
    """Turn gradients on, also for a caller inside ``no_grad`` or ``inference_mode``."""
    with torch.inference_mode(False), torch.enable_grad():
        yield


def differentiable_logits(model: Classifier, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return ``images`` as a leaf of a new graph, and the logits that hang on it."""
    leaf = images.detach().requires_grad_()
    logits = _checked_logits(model(leaf), len(images))
    if not logits.requires_grad:
        raise InvalidInput(
            "model returns logits without a gradient; attacks need logits that are differentiable with "
            "respect to the images. Remove no_grad, detach and conversions to NumPy from the model."
        )
    return leaf, logits


def predicted_logits(model: Classifier, images: torch.Tensor) -> torch.Tensor:
    """Return the logits (n, classes) without a graph."""
    with torch.no_grad():
        return _checked_logits(model(images), len(images))


def input_gradient(value: torch.Tensor, leaf: torch.Tensor, *, keep_graph: bool = False) -> torch.Tensor:
    """Return the gradient of a scalar with respect to ``leaf``; no parameter's ``.grad`` is touched."""
    (gradient,) = torch.autograd.grad(value, leaf, retain_graph=keep_graph, allow_unused=True)
    if gradient is None:
        raise InvalidInput(
            "model returns logits that do not depend on the images; attacks need logits that are "
            "differentiable with respect to the images. Check that the model uses its argument."
        )
    if not torch.isfinite(gradient).all():
        raise InvalidInput(
            "model has a gradient that is NaN or infinite; finite gradients are needed. "
            "Look for divisions by zero, logarithms of zero, or weights that diverged in training."
        )
    return gradient


def _checked_logits(logits: torch.Tensor, count: int) -> torch.Tensor:
    if not isinstance(logits, torch.Tensor):
        raise InvalidInput(f"model returned {type(logits).__name__}; a tensor of logits (n, classes) is needed.")
    if logits.ndim != 2 or logits.shape[0] != count or logits.shape[1] < 2:
        raise InvalidInput(
            f"model returned logits of shape {tuple(logits.shape)} for {count} images; "
            f"({count}, classes) with at least two classes is needed."
        )
    if not torch.isfinite(logits).all():
        raise InvalidInput(
            "model returned logits that are NaN or infinite; finite logits are needed. "
            "Return the values before the softmax, and check that training did not diverge."
        )
    return logits


def check_images(images: torch.Tensor) -> None:
    """Refuse what is not a float32 batch of images with values in [0, 1]."""
    if images.dtype != torch.float32:
        raise InvalidInput(
            f"images have dtype {images.dtype}; torch.float32 with values in [0, 1] is needed. "
            "Convert bytes with .float() / 255."
        )
    if images.ndim != 4 or 0 in images.shape[1:]:
        raise InvalidInput(
            f"images have shape {tuple(images.shape)}; (n, channels, height, width) is needed. "
            "Add the missing axes, for one image with images[None]."
        )
    if not images.numel():
        return
    low, high = (float(bound) for bound in torch.aminmax(images.detach()))
    if not (low >= 0.0 and high <= 1.0):
        raise InvalidInput(
            f"images have values from {low} to {high}; finite values in [0, 1] are needed. "
            "Divide bytes by 255, and leave normalisation to the model."
        )


def check_labels(model: Classifier, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return ``labels`` as int64 on the images' device; refuse another length, type or range."""
    if labels.shape != images.shape[:1]:
        raise InvalidInput(
            f"labels have shape {tuple(labels.shape)} for {len(images)} images; "
            f"({len(images)},) is needed, one class for each image."
        )
    if labels.dtype == torch.bool or labels.is_floating_point() or labels.is_complex():
        raise InvalidInput(f"labels have dtype {labels.dtype}; integer classes are needed. Convert with .long().")
    # A copy, because a tensor made under inference_mode cannot take part in a graph.
    labels = labels.to(device=images.device, dtype=torch.int64, copy=True)
    if not len(labels):
        return labels
    classes = predicted_logits(model, images[:1]).shape[1]
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= classes:
        raise InvalidInput(
            f"labels run from {low} to {high}, but the model has {classes} classes; "
            f"0 to {classes - 1} is allowed. Pass the classes that the model numbers its logits by."
        )
    return labels


def check_at_least_one(name: str, value: int) -> None:
    """Refuse what is not a whole number of at least one."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidInput(f"{name} is {value!r}; a whole number of at least 1 is needed.")


def images_at_once(batch_size: int | None, images: torch.Tensor) -> int:
    """Return how many images go through the model at once: as many as are asked for, or as suit the device."""
    if batch_size is not None:
        check_at_least_one("batch_size", batch_size)
        return batch_size
    if images.device.type == "cpu":
        return _SMALL_BATCH
    return max(_SMALL_BATCH, min(_LARGE_BATCH, _LARGE_PIXELS // max(1, images[:1].numel())))


def check_non_negative(name: str, value: float) -> None:
    """Refuse what is negative, NaN or infinite."""
    if not (math.isfinite(value) and value >= 0):
        raise InvalidInput(f"{name} is {value!r}; a finite number of at least 0 is needed.")


def check_norm(norm: str) -> None:
    """Refuse a norm that the attacks do not know."""
    if norm not in ("linf", "l2"):
        raise InvalidInput(f"norm is {norm!r}; 'linf' or 'l2' is allowed.")
