"""Attacks that climb the cross entropy inside an epsilon ball: FGSM and PGD."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch.nn.functional import cross_entropy

from copycost.adversarial._classifier import (
    Classifier,
    Progress,
    check_at_least_one,
    check_images,
    check_labels,
    check_non_negative,
    check_norm,
    differentiable_logits,
    gradients_on,
    images_at_once,
    input_gradient,
)

__all__ = ["fgsm", "pgd"]

_TINY = 1e-12
_RELATIVE_STEP = 0.01 / 0.3


def fgsm(
    model: Classifier,
    images: torch.Tensor,
    labels: torch.Tensor,
    *,
    epsilon: float,
    targeted: bool = False,
    batch_size: int | None = None,
    progress: Progress | None = None,
) -> torch.Tensor:
    """Move every pixel by epsilon along the sign of the gradient of the cross entropy, and clip to [0, 1].

    Parameters
    ----------
    model : Classifier
        Returns logits (n, classes); in evaluation mode. Its flags and parameters are left as they were.
    images : float32 tensor (n, channels, height, width) with values in [0, 1], on the model's device
    labels : integer tensor (n,)
        The class to leave; the class wanted where ``targeted``.
    epsilon : float
        Largest change of one pixel, on the scale of [0, 1].
    targeted : bool
        Descend towards the labels instead of climbing away from them.
    batch_size : int, optional
        Images in one pass through the model; unless given 64, or on an accelerator up to 1,024. The result depends
        on it only as far as the model's own rounding does; where a gradient is zero within rounding, its sign may
        follow.
    progress : callable, optional
        Receives the share of the work that is done.

    Returns
    -------
    float32 tensor of the shape of ``images``, with values in [0, 1]

    Raises
    ------
    InvalidInput
        If an argument is outside its range, or the model's logits are not finite or not differentiable.

    References
    ----------
    Goodfellow, Shlens, Szegedy, "Explaining and harnessing adversarial examples", 2015, section 4;
    Schmidl's thesis, equation 2.4.1.

    Examples
    --------
    >>> model = lambda images: images.flatten(1) @ torch.tensor([[1.0, -1.0], [-2.0, 2.0]])
    >>> fgsm(model, torch.full((1, 1, 1, 2), 0.5), torch.tensor([0]), epsilon=0.25).flatten().tolist()
    [0.25, 0.75]
    """
    check_non_negative("epsilon", epsilon)
    plan = _Plan(_NORMS["linf"], epsilon, epsilon, 1, targeted)
    return _attack(model, images, labels, plan, None, batch_size, progress)


def pgd(
    model: Classifier,
    images: torch.Tensor,
    labels: torch.Tensor,
    *,
    epsilon: float,
    norm: Literal["linf", "l2"] = "linf",
    steps: int = 40,
    step_size: float | None = None,
    random_start: bool = True,
    targeted: bool = False,
    generator: torch.Generator,
    batch_size: int | None = None,
    progress: Progress | None = None,
) -> torch.Tensor:
    """Climb the cross entropy in small steps, each projected back into the epsilon ball and [0, 1].

    A step follows the sign of the gradient (Linf) or the gradient divided by its norm (L2). Where the model
    is so sure that the gradient is zero in float32, an image stays where it started.

    Parameters
    ----------
    model : Classifier
        Returns logits (n, classes); in evaluation mode. Its flags and parameters are left as they were.
    images : float32 tensor (n, channels, height, width) with values in [0, 1], on the model's device
    labels : integer tensor (n,)
        The class to leave; the class wanted where ``targeted``.
    epsilon : float
        Radius of the ball, in ``norm``, on the scale of [0, 1] for a pixel.
    norm : {"linf", "l2"}
    steps : int
        Gradient steps; all are made, whether or not the model is fooled earlier.
    step_size : float, optional
        Length of one step in ``norm``; 0.01 / 0.3 of epsilon unless given.
    random_start : bool
        Start from a point drawn uniformly from the ball (then clipped to [0, 1]), not from the image.
    targeted : bool
        Descend towards the labels instead of climbing away from them.
    generator : torch.Generator
        Source of the starts; drawn from image by image in order, so that the start of an image depends
        neither on ``batch_size`` nor on the images after it. Untouched where there is no random start.
    batch_size : int, optional
        Images in one pass through the model; unless given 64, or on an accelerator up to 1,024. The result depends
        on it only as far as the model's own rounding does; where a gradient is zero within rounding, its sign may
        follow.
    progress : callable, optional
        Receives the share of the work that is done.

    Returns
    -------
    float32 tensor of the shape of ``images``, with values in [0, 1]

    Raises
    ------
    InvalidInput
        If an argument is outside its range, or the model's logits are not finite or not differentiable.

    References
    ----------
    Madry et al., "Towards deep learning models resistant to adversarial attacks", 2018, section 2.1.

    Examples
    --------
    >>> model = lambda images: images.flatten(1) @ torch.tensor([[1.0, -1.0], [-2.0, 2.0]])
    >>> images, wanted = torch.full((1, 1, 1, 2), 0.5), torch.tensor([1])
    >>> chance = torch.Generator().manual_seed(0)
    >>> pgd(model, images, wanted, epsilon=0.25, targeted=True, generator=chance).flatten().tolist()
    [0.25, 0.75]
    """
    check_non_negative("epsilon", epsilon)
    check_norm(norm)
    check_at_least_one("steps", steps)
    step_size = _RELATIVE_STEP * epsilon if step_size is None else step_size
    check_non_negative("step_size", step_size)
    plan = _Plan(_NORMS[norm], epsilon, step_size, steps, targeted)
    return _attack(model, images, labels, plan, generator if random_start else None, batch_size, progress)


@dataclass(frozen=True)
class _Norm:
    """What differs between the balls: a start (size -> flat tensor), a direction, a projection."""

    start: Callable[[int, float, torch.Generator], torch.Tensor]
    direction: Callable[[torch.Tensor], torch.Tensor]
    project: Callable[[torch.Tensor, float], torch.Tensor]


@dataclass(frozen=True)
class _Plan:
    norm: _Norm
    epsilon: float
    step_size: float
    steps: int
    targeted: bool


def _attack(
    model: Classifier,
    images: torch.Tensor,
    labels: torch.Tensor,
    plan: _Plan,
    generator: torch.Generator | None,
    batch_size: int | None,
    progress: Progress | None,
) -> torch.Tensor:
    check_images(images)
    at_once = images_at_once(batch_size, images)
    with gradients_on():
        origins = images.detach().clone()
        labels = check_labels(model, origins, labels)
        results = torch.empty_like(origins)
        for begin in range(0, len(origins), at_once):
            part = slice(begin, begin + at_once)
            results[part] = _climb(model, origins[part], labels[part], plan, generator)
            if progress is not None:
                progress(min(begin + at_once, len(origins)) / len(origins))
    return results


def _climb(
    model: Classifier,
    origins: torch.Tensor,
    labels: torch.Tensor,
    plan: _Plan,
    generator: torch.Generator | None,
) -> torch.Tensor:
    points = origins
    if generator is not None:
        points = (origins + _starts(origins, plan, generator)).clamp(0, 1)
    signed_step = -plan.step_size if plan.targeted else plan.step_size
    for _ in range(plan.steps):
        leaf, logits = differentiable_logits(model, points)
        gradient = input_gradient(cross_entropy(logits, labels, reduction="sum"), leaf)
        points = points + signed_step * plan.norm.direction(gradient)
        points = (origins + plan.norm.project(points - origins, plan.epsilon)).clamp(0, 1)
    return points


def _starts(origins: torch.Tensor, plan: _Plan, generator: torch.Generator) -> torch.Tensor:
    # One draw for each image: a draw for a whole batch may give other numbers when the batch grows.
    size = origins[0].numel()
    flat = torch.stack([plan.norm.start(size, plan.epsilon, generator) for _ in range(len(origins))])
    return flat.to(origins.device).reshape(origins.shape)


def _uniform_in_cube(size: int, epsilon: float, generator: torch.Generator) -> torch.Tensor:
    unit = torch.rand(size, generator=generator, device=generator.device)
    return epsilon * (2 * unit - 1)


def _uniform_in_ball(size: int, epsilon: float, generator: torch.Generator) -> torch.Tensor:
    # A uniform point of the sphere in size + 2 dimensions, less two coordinates (Voelker et al. 2017).
    normal = torch.randn(size + 2, generator=generator, device=generator.device)
    length = float(torch.linalg.vector_norm(normal))
    return normal[:size] * (epsilon / length)


def _l2_lengths(vectors: torch.Tensor) -> torch.Tensor:
    lengths: torch.Tensor = torch.linalg.vector_norm(vectors.flatten(1), dim=1)
    return lengths.clamp_min(_TINY).reshape(-1, 1, 1, 1)


def _unit_length(gradient: torch.Tensor) -> torch.Tensor:
    return gradient / _l2_lengths(gradient)


def _into_ball(change: torch.Tensor, epsilon: float) -> torch.Tensor:
    return change * (epsilon / _l2_lengths(change)).clamp_max(1)


def _into_cube(change: torch.Tensor, epsilon: float) -> torch.Tensor:
    return change.clamp(-epsilon, epsilon)


_NORMS = {
    "linf": _Norm(_uniform_in_cube, torch.sign, _into_cube),
    "l2": _Norm(_uniform_in_ball, _unit_length, _into_ball),
}
