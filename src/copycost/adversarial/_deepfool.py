"""DeepFool: the nearest point that a classifier labels otherwise, and the robustness made of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch

from copycost.adversarial._classifier import (
    Classifier,
    Progress,
    check_at_least_one,
    check_images,
    check_non_negative,
    check_norm,
    differentiable_logits,
    gradients_on,
    images_at_once,
    input_gradient,
    predicted_logits,
)
from copycost.errors import InvalidInput

__all__ = ["DeepFoolResult", "deepfool", "robustness"]

Norm = Literal["linf", "l2"]

# Both as in foolbox, so that perturbations agree: one keeps divisions finite, one steps over the boundary.
_NO_DIVISION_BY_ZERO = 1e-8
_BEYOND_BOUNDARY = 1e-4


@dataclass(frozen=True)
class DeepFoolResult:
    """Nearest images with another label, in the order of the images given.

    Attributes
    ----------
    perturbed : float32 tensor (n, channels, height, width) with values in [0, 1]
        Where ``fooled`` is False, the point reached when the steps ended.
    distances : float32 tensor (n,)
        Norm of ``perturbed`` less the image (L2 unless the attack was asked for Linf); infinite where
        ``fooled`` is False, so that an image that was not fooled never counts as the closest.
    fooled : bool tensor (n,)
        Whether the model's label changed.
    steps : int64 tensor (n,)
        Steps made for each image.
    """

    perturbed: torch.Tensor
    distances: torch.Tensor
    fooled: torch.Tensor
    steps: torch.Tensor


def deepfool(
    model: Classifier,
    images: torch.Tensor,
    *,
    steps: int = 50,
    overshoot: float = 0.02,
    candidates: int = 10,
    norm: Norm = "l2",
    batch_size: int | None = None,
    progress: Progress | None = None,
) -> DeepFoolResult:
    """Find a small perturbation that changes the label the model gives each image.

    An image leaves the batch as soon as it is fooled and another takes its place, so that no pass through the
    model carries finished images.

    Parameters
    ----------
    model : Classifier
        Returns logits (n, classes); in evaluation mode. Its flags and parameters are left as they were.
    images : float32 tensor (n, channels, height, width) with values in [0, 1], on the model's device
    steps : int
        Most linearisations for one image.
    overshoot : float
        Share by which the summed perturbation is made longer, to cross the boundary.
    candidates : int
        Classes considered: the predicted one and the next most likely; at least 2, all where there are fewer.
    norm : {"l2", "linf"}
        Norm in which the perturbation is made small.
    batch_size : int, optional
        Images in one pass through the model; unless given 64, or on an accelerator up to 1,024. The result depends
        on it only as far as the model's own rounding does.
    progress : callable, optional
        Receives the share of the images that is finished.

    Returns
    -------
    DeepFoolResult

    Raises
    ------
    InvalidInput
        If an argument is outside its range, or the model's logits are not finite or not differentiable.

    References
    ----------
    Moosavi-Dezfooli, Fawzi, Frossard, "DeepFool: a simple and accurate method to fool deep neural networks",
    2016, Algorithm 2 and section 3.3.

    Examples
    --------
    >>> weights, offsets = torch.tensor([[3.0, 0.0], [4.0, 0.0]]), torch.tensor([-2.5, 0.0])
    >>> model = lambda images: images.flatten(1) @ weights + offsets
    >>> result = deepfool(model, torch.full((1, 1, 1, 2), 0.75))
    >>> bool(result.fooled[0]), round(float(result.distances[0]), 3)
    (True, 0.561)
    """
    check_images(images)
    _check_arguments(steps, overshoot, candidates, norm)
    at_once = images_at_once(batch_size, images)
    with gradients_on():
        origins = images.detach().clone()
        ranked = _ranked_classes(model, origins, candidates, at_once)
        points, taken, fooled = origins.clone(), _counters(origins), _counters(origins).bool()
        totals = torch.zeros_like(origins)
        waiting = torch.arange(len(origins), device=origins.device)
        while len(waiting):
            active = waiting[:at_once]
            totals[active] += _step_to_nearest(model, points[active], ranked[active], norm)
            points[active] = (origins[active] + (1 + overshoot) * totals[active]).clamp(0, 1)
            taken[active] += 1
            fooled[active] = predicted_logits(model, points[active]).argmax(1) != ranked[active, 0]
            unfinished = ~fooled[active] & (taken[active] < steps)
            waiting = torch.cat([active[unfinished], waiting[at_once:]])
            if progress is not None:
                progress(1 - len(waiting) / len(origins))
        distances = _lengths(points - origins, norm).masked_fill(~fooled, math.inf)
    return DeepFoolResult(points, distances, fooled, taken)


def robustness(
    model: Classifier,
    images: torch.Tensor,
    *,
    steps: int = 50,
    overshoot: float = 0.02,
    candidates: int = 10,
    batch_size: int | None = None,
    progress: Progress | None = None,
) -> float:
    """Return rho, the mean over images of DeepFool's L2 distance divided by the L2 norm of the image.

    Images that DeepFool does not fool have no known distance and are left out of the mean; where none is
    fooled, rho is infinite. `deepfool` tells how many there are.

    Parameters
    ----------
    model, images, steps, overshoot, candidates, batch_size, progress
        As in `deepfool`.

    Returns
    -------
    float

    Raises
    ------
    InvalidInput
        As in `deepfool`, and if there is no image or an image is black, which leaves the ratio undefined.

    References
    ----------
    Moosavi-Dezfooli, Fawzi, Frossard 2016, equation 2; Schmidl's thesis, equation 2.4.3.
    """
    check_images(images)
    if not len(images):
        raise InvalidInput("images has length 0; at least one image is needed for a mean.")
    sizes = _lengths(images.detach(), "l2")
    if bool((sizes == 0).any()):
        raise InvalidInput(
            f"images[{int(sizes.argmin())}] is black: its norm is 0, and rho divides by the norm. "
            "Leave black images out."
        )
    result = deepfool(
        model,
        images,
        steps=steps,
        overshoot=overshoot,
        candidates=candidates,
        batch_size=batch_size,
        progress=progress,
    )
    if not bool(result.fooled.any()):
        return math.inf
    return float((result.distances.double() / sizes.double())[result.fooled].mean())


def _check_arguments(steps: int, overshoot: float, candidates: int, norm: str) -> None:
    check_at_least_one("steps", steps)
    check_at_least_one("candidates", candidates)
    if candidates < 2:
        raise InvalidInput(f"candidates is {candidates}; at least 2 are needed, the predicted class and another.")
    check_non_negative("overshoot", overshoot)
    check_norm(norm)


def _counters(images: torch.Tensor) -> torch.Tensor:
    return torch.zeros(len(images), dtype=torch.int64, device=images.device)


def _ranked_classes(model: Classifier, images: torch.Tensor, candidates: int, batch_size: int) -> torch.Tensor:
    """Return the likeliest classes (n, candidates), the predicted one first; the lowest class wins a tie."""
    if not len(images):
        return torch.zeros((0, candidates), dtype=torch.int64, device=images.device)
    ranked = [
        predicted_logits(model, part).sort(dim=1, descending=True, stable=True).indices[:, :candidates]
        for part in torch.split(images, batch_size)
    ]
    return torch.cat(ranked)


def _step_to_nearest(model: Classifier, points: torch.Tensor, ranked: torch.Tensor, norm: Norm) -> torch.Tensor:
    """Return the step to the nearest of the linearised boundaries.

    One graph serves all candidates, with a backward pass for each: as fast on a processor as one pass batched
    over the candidates, or faster, and twice as fast as one pass through repeated images, in less memory.
    """
    leaf, logits = differentiable_logits(model, points)
    scores = logits.gather(1, ranked)
    gaps = scores[:, 1:] - scores[:, :1]
    last = gaps.shape[1] - 1
    nearest = torch.full_like(gaps[:, 0], math.inf)
    direction = torch.zeros_like(points)
    for k in range(last + 1):
        gradient = input_gradient(gaps[:, k].sum(), leaf, keep_graph=k < last)
        distance = gaps[:, k].detach().abs() / (_dual_lengths(gradient, norm) + _NO_DIVISION_BY_ZERO)
        closer = distance < nearest
        nearest = torch.where(closer, distance, nearest)
        direction = torch.where(_as_column(closer), gradient, direction)
    lengths = nearest + _BEYOND_BOUNDARY
    if norm == "linf":
        return _as_column(lengths) * direction.sign()
    return _as_column(lengths / (_dual_lengths(direction, norm) + _NO_DIVISION_BY_ZERO)) * direction


def _lengths(vectors: torch.Tensor, norm: Norm) -> torch.Tensor:
    order = 2 if norm == "l2" else math.inf
    lengths: torch.Tensor = torch.linalg.vector_norm(vectors.flatten(1), ord=order, dim=1)
    return lengths


def _dual_lengths(gradient: torch.Tensor, norm: Norm) -> torch.Tensor:
    order = 2 if norm == "l2" else 1
    lengths: torch.Tensor = torch.linalg.vector_norm(gradient.flatten(1), ord=order, dim=1)
    return lengths


def _as_column(values: torch.Tensor) -> torch.Tensor:
    return values.reshape(-1, 1, 1, 1)
