"""How adversarial examples made on the substitute work on the target."""

from __future__ import annotations

import dataclasses
import functools
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch

from copycost import measures
from copycost._streams import stream
from copycost._types import IntArray
from copycost.adversarial import deepfool, fgsm, pgd, round_to_bytes
from copycost.errors import InvalidInput
from copycost.inputs import Images
from copycost.networks import Classifier
from copycost.networks._random import generator
from copycost.oracle import Oracle

__all__ = ["TransferPlan", "measure_transfer"]


@dataclass(frozen=True)
class TransferPlan:
    """Which adversarial examples are made.

    Attributes
    ----------
    images : int
        Seed images drawn from the test set; 0 makes none.
    attack : {"pgd", "fgsm", "deepfool"}
        DeepFool is untargeted.
    targeted : bool
        One example for each class but the image's own, or one example an image that leaves its class.
    epsilon : float
        Radius of the ball, in units of [0, 1].
    norm : {"linf", "l2"}
        For PGD.
    steps : int
        For PGD and DeepFool.
    """

    images: int = 200
    attack: Literal["pgd", "fgsm", "deepfool"] = "pgd"
    targeted: bool = True
    epsilon: float = 128 / 255
    norm: Literal["linf", "l2"] = "linf"
    steps: int = 40

    def __post_init__(self) -> None:
        if self.images < 0 or self.steps < 1 or not self.epsilon >= 0:
            raise InvalidInput(
                f"transfer has images={self.images}, steps={self.steps}, epsilon={self.epsilon:g}; "
                "images of 0 or more, steps of 1 or more and epsilon of 0 or more are needed."
            )
        if self.targeted and self.attack == "deepfool":
            raise InvalidInput(
                "transfer has attack=deepfool and targeted=true; DeepFool is untargeted, so set targeted to false."
            )


def measure_transfer(
    plan: TransferPlan,
    substitute: Classifier,
    oracle: Oracle,
    test: Images,
    clean: IntArray,
    true: IntArray | None,
    classes: int,
    *,
    seed: int,
    report: Callable[[str, float], None],
    spent: Callable[[float], None] = lambda seconds: None,
) -> dict[str, Any]:
    """Make adversarial examples on the substitute, ask the target about them, and return the rates of a record.

    Parameters
    ----------
    plan : what to make
    substitute : the copy, which the examples are made on
    oracle : charged for every example, on the measuring account
    test : images to start from
    clean, true : the target's own labels of ``test`` (m,), and its true labels where known
    classes : number of classes
    seed : fixes which images are used and where the attack starts
    report : takes (what runs, share done)
    spent : takes the seconds that making the examples took
    """
    rows = np.sort(stream(seed, "seed images").permutation(len(test))[: plan.images])
    own = clean if true is None else true
    source, wanted = _goals(rows, own, classes, plan.targeted)
    began = time.perf_counter()
    made = _make(plan, substitute, test.take(source), own[source], wanted, seed, report)
    spent(time.perf_counter() - began)
    seen = substitute.labels(made)
    fooled = seen != substitute.labels(test.take(source)) if wanted is None else seen == wanted
    rates = measures.transfer_rates(
        wanted=wanted,
        clean=clean[source],
        true=None if true is None else true[source],
        answered=oracle.ask(made).labels,
        fooled=fooled,
        classes=classes,
    )
    record = dataclasses.asdict(rates)
    record["confusion"] = np.asarray(rates.confusion).tolist()
    return {"plan": dataclasses.asdict(plan), **record}


def _goals(rows: IntArray, own: IntArray, classes: int, targeted: bool) -> tuple[IntArray, IntArray | None]:
    """Return, for each example, its seed image and the class it is to be taken for (None: any other)."""
    if not targeted:
        return rows, None
    wanted = np.array([[c for c in range(classes) if c != own[row]] for row in rows], dtype=np.int64)
    return np.repeat(rows, classes - 1), wanted.reshape(-1)


def _make(
    plan: TransferPlan,
    substitute: Classifier,
    images: Images,
    own: IntArray,
    wanted: IntArray | None,
    seed: int,
    report: Callable[[str, float], None],
) -> Images:
    floats = substitute.tensor(images.array)
    labels = torch.from_numpy(own if wanted is None else wanted)
    progress = functools.partial(report, "adversarial examples")
    if plan.attack == "pgd":
        made = pgd(
            substitute,
            floats,
            labels,
            epsilon=plan.epsilon,
            norm=plan.norm,
            steps=plan.steps,
            targeted=wanted is not None,
            generator=generator(stream(seed, "adversarial start")),
            progress=progress,
        )
    elif plan.attack == "fgsm":
        made = fgsm(substitute, floats, labels, epsilon=plan.epsilon, targeted=wanted is not None)
    else:
        made = deepfool(substitute, floats, steps=plan.steps, progress=progress).perturbed
    return Images(round_to_bytes(made))
