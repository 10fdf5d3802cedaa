"""When training ends: part of an audit's spec, the same for every strategy that it compares."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from copycost.errors import InvalidInput

__all__ = ["Schedule"]


@dataclass(frozen=True)
class Schedule:
    """Adam with a fixed rate until an end that does not depend on the strategy.

    Attributes
    ----------
    kind : {"steps", "epochs", "early-stopping"}
        ``steps``: so many updates whatever the budget, to convergence. ``epochs``: a paper's own count.
        ``early-stopping``: at most so many epochs, ended when macro F1 on a validation share of the answers has not
        risen for ``patience`` epochs; the best epoch is kept (ActiveThief, section 5).
    length : int
        Updates for ``steps``, epochs otherwise.
    batch : int
        Images an update.
    learning_rate : float
        Adam's rate.
    weight_decay : float
        lambda of the term lambda times the squared norm of the weights.
    patience : int
        Epochs without improvement before early stopping.
    validation : float
        Share of the answers that early stopping sets aside.
    augment : {"none", "affine"}
        Whether images are turned, shifted and scaled a little in every update (`affine`); texts cannot be.

    Examples
    --------
    >>> str(Schedule.parse("epochs:30 batch=64 learning_rate=0.001"))
    'epochs:30 batch=64'
    """

    kind: Literal["steps", "epochs", "early-stopping"] = "steps"
    length: int = 3000
    batch: int = 4
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    patience: int = 100
    validation: float = 0.2
    augment: Literal["none", "affine"] = "none"

    def __post_init__(self) -> None:
        if self.kind not in ("steps", "epochs", "early-stopping"):
            raise InvalidInput(f"schedule kind is {self.kind!r}; steps, epochs or early-stopping is allowed.")
        for name in ("length", "batch", "patience"):
            if getattr(self, name) < 1:
                raise InvalidInput(f"schedule {name} is {getattr(self, name)}; a whole number of 1 or more is needed.")
        if not 0 < self.learning_rate < 10:
            raise InvalidInput(f"schedule learning_rate is {self.learning_rate}; a number between 0 and 10 is needed.")
        if not 0 <= self.weight_decay < 10:
            raise InvalidInput(f"schedule weight_decay is {self.weight_decay}; a number from 0 to below 10 is needed.")
        if not 0 < self.validation < 1:
            raise InvalidInput(f"schedule validation is {self.validation}; a share between 0 and 1 is needed.")
        if self.augment not in ("none", "affine"):
            raise InvalidInput(f"schedule augment is {self.augment!r}; none or affine is allowed.")

    @classmethod
    def parse(cls, text: str) -> Schedule:
        """Read ``KIND:LENGTH`` followed by ``name=value`` pairs, such as ``steps:3000 batch=4``."""
        head, *pairs = text.split() or [""]
        match = re.fullmatch(r"(steps|epochs|early-stopping):(\d{1,9})", head)
        if match is None:
            raise InvalidInput(
                f"schedule is {text!r}; write steps:N, epochs:N or early-stopping:N, then name=value pairs, "
                f"such as 'steps:3000 batch=4'."
            )
        values: dict[str, int | float | str] = {}
        for pair in pairs:
            name, _, value = pair.partition("=")
            whole: dict[str, Callable[[str], int | float | str]] = {
                "batch": int,
                "learning_rate": float,
                "weight_decay": float,
                "patience": int,
                "validation": float,
                "augment": str,
            }
            if name not in whole:
                raise InvalidInput(f"schedule has {pair!r}; known names are {', '.join(whole)}.")
            try:
                values[name] = whole[name](value)
            except ValueError:
                raise InvalidInput(f"schedule has {pair!r}; {name} needs a number.") from None
        return cls(kind=match[1], length=int(match[2]), **values)  # type: ignore[arg-type]

    def __str__(self) -> str:
        plain = Schedule(self.kind, self.length)
        names = ("batch", "learning_rate", "weight_decay", "patience", "validation")
        pairs = [f"{name}={getattr(self, name):g}" for name in names if getattr(self, name) != getattr(plain, name)]
        pairs += [] if self.augment == "none" else [f"augment={self.augment}"]
        return " ".join([f"{self.kind}:{self.length}", *pairs])

    def updates(self, examples: int) -> int:
        """Return how many updates at most this schedule makes on so many examples."""
        if self.kind == "steps":
            return self.length
        if self.kind == "early-stopping":
            examples -= round(self.validation * examples)
        return self.length * -(-examples // self.batch)
