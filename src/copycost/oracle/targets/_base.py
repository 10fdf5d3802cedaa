"""What every kind of target shares."""

from __future__ import annotations

from abc import ABC, abstractmethod

from copycost._types import AnyArray
from copycost.errors import InvalidInput
from copycost.inputs import Images, Inputs
from copycost.oracle._answers import Answers

__all__ = ["Target"]


class Target(ABC):
    """A classifier under audit. Only an `Oracle` calls it.

    Attributes
    ----------
    name : str
        How reports call it.
    classes : int
    gives_probabilities : bool
        Whether `reply` returns (n, classes) probabilities rather than (n,) labels.
    deterministic : bool
        Whether an input always gets the same answer, so that one account may reuse another's.
    answers_new : bool
        Whether it answers inputs nobody has seen before, such as adversarial examples.
    shape : tuple of int or None
        Height, width and channels it takes, where that is known.
    medium : str
        "image" or "text".
    probed : Answers or None
        What it answered when it was opened, where it was asked a few inputs to see what it returns.
    """

    name: str
    classes: int
    gives_probabilities: bool = True
    deterministic: bool = True
    answers_new: bool = True
    shape: tuple[int, int, int] | None = None
    medium: str = "image"
    probed: Answers | None = None

    @abstractmethod
    def reply(self, inputs: Inputs) -> AnyArray:
        """Return (n,) labels or (n, classes) probabilities for n inputs."""

    def fingerprint(self) -> str | None:
        """Return a name that changes whenever the target does, or None where only its answers can tell."""
        return None

    def check(self, inputs: Inputs) -> None:
        """Raise `InvalidInput` if these inputs are not what the target takes; nothing is charged then."""
        if inputs.medium != self.medium:
            raise InvalidInput(
                f"the inputs are of medium {inputs.medium!r}; the target {self.name} takes {self.medium!r}. "
                "Use a pool of that medium."
            )
        if self.shape is not None and isinstance(inputs, Images) and inputs.shape != self.shape:
            raise InvalidInput(
                f"the inputs have shape {inputs.shape} (height, width, channels); the target {self.name} "
                f"takes {self.shape}. Resize them, or convert grey to colour, so that the shapes agree."
            )
