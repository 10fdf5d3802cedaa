"""New inputs out of old ones, for training a copy: steps along the sign of a class's gradient, and shifted colours."""

from __future__ import annotations

import numpy as np
import torch

from copycost.adversarial._classifier import (
    Classifier,
    check_at_least_one,
    check_images,
    check_labels,
    check_non_negative,
    differentiable_logits,
    gradients_on,
    images_at_once,
    input_gradient,
)

__all__ = ["shift_channels", "sign_steps"]


def sign_steps(
    model: Classifier,
    images: torch.Tensor,
    labels: torch.Tensor,
    *,
    step: float,
    iterations: int = 1,
    away: bool = False,
    batch_size: int | None = None,
) -> torch.Tensor:
    """Move every pixel by ``step`` in all along the sign of the gradient of a class's probability, within [0, 1].

    The probability of a class, its logarithm, its log-odds and the negative cross entropy all rise in the same
    directions, so that one step is the step of Jacobian-based augmentation (towards the class) and of FGSM (``away``
    from it, or towards it where it is targeted). The log-odds are followed, as their gradient does not vanish where the
    model is sure.

    Parameters
    ----------
    model : Classifier
        Returns logits (n, classes); in evaluation mode. Its flags and parameters are left as they were.
    images : float32 tensor (n, channels, height, width) with values in [0, 1], on the model's device
    labels : integer tensor (n,)
        The class to approach, or to leave.
    step : float
        Largest change of one pixel, on the scale of [0, 1].
    iterations : int
        Steps that the change is made in, each of ``step / iterations`` along a new gradient.
    away : bool
        Leave the class.
    batch_size : int, optional
        Images in one pass through the model; unless given 64, or on an accelerator up to 1,024.

    Returns
    -------
    float32 tensor of the shape of ``images``, with values in [0, 1]

    Raises
    ------
    InvalidInput
        If an argument is outside its range, or the model's logits are not finite or not differentiable.

    References
    ----------
    Papernot et al., "Practical black-box attacks against machine learning", 2017, Algorithm 1; Goodfellow, Shlens,
    Szegedy 2015, section 4; Juuti et al., "PRADA: protecting against DNN model stealing attacks", 2019.

    Examples
    --------
    >>> model = lambda images: images.flatten(1) @ torch.tensor([[1.0, -1.0], [-2.0, 2.0]])
    >>> sign_steps(model, torch.full((1, 1, 1, 2), 0.5), torch.tensor([0]), step=0.25).flatten().tolist()
    [0.75, 0.25]
    """
    check_images(images)
    check_non_negative("step", step)
    check_at_least_one("iterations", iterations)
    at_once = images_at_once(batch_size, images)
    signed = (-step if away else step) / iterations
    with gradients_on():
        points = images.detach().clone()
        labels = check_labels(model, points, labels)
        for begin in range(0, len(points), at_once):
            part = slice(begin, begin + at_once)
            for _ in range(iterations):
                leaf, logits = differentiable_logits(model, points[part])
                gradient = input_gradient(_log_odds(logits, labels[part]).sum(), leaf)
                points[part] = (points[part] + signed * gradient.sign()).clamp(0, 1)
    return points


def shift_channels(images: torch.Tensor, *, step: float, rng: np.random.Generator) -> torch.Tensor:
    """Make every channel of every image brighter or darker as a whole, each way equally often, within [0, 1].

    Parameters
    ----------
    images : float32 tensor (n, channels, height, width) with values in [0, 1]
    step : float
        By how much, on the scale of [0, 1].
    rng : numpy.random.Generator

    Returns
    -------
    float32 tensor of the shape of ``images``

    Raises
    ------
    InvalidInput
        If the images are not such a tensor, or ``step`` is negative or not finite.

    References
    ----------
    Juuti et al. 2019, COLOR.
    """
    check_images(images)
    check_non_negative("step", step)
    signs = rng.integers(0, 2, (*images.shape[:2], 1, 1)) * 2 - 1
    change = torch.from_numpy(signs.astype(np.float32)).to(images.device)
    return (images + step * change).clamp(0, 1)


def _log_odds(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the logarithm of p / (1 - p) for the class of each row (n,)."""
    own = torch.nn.functional.one_hot(labels, logits.shape[1]).bool()
    return logits[own] - logits.masked_fill(own, -torch.inf).logsumexp(dim=1)
