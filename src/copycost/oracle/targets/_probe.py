"""What a target answers to a few inputs shows its form: labels or probabilities, and of how many classes."""

from __future__ import annotations

import numpy as np

from copycost.errors import InvalidInput, TargetError
from copycost.inputs import Inputs
from copycost.oracle._answers import Answers, checked_reply
from copycost.oracle.targets._base import Target

__all__ = ["at_once", "probed_form"]

_NUMBERS = 2**22  # pixels times channels in one call: 16 MiB of float32, and the layers of a large network still fit
_MOST = 256


def probed_form(target: Target, probe: Inputs | None, classes: int | None, fallback: int | None) -> tuple[Answers, int]:
    """Send a few inputs, which the caller has charged, and return what came back and the number of classes.

    Parameters
    ----------
    target : asked through its `reply`; name and shape must be set
    probe : the inputs
    classes : number of classes that was said
    fallback : number of classes where the target answers labels alone and none was said

    Raises
    ------
    InvalidInput
        If there is no probe, or it is not what the target takes.
    TargetError
        If the target raises, or answers with something that is not an answer.
    """
    if probe is None:
        raise InvalidInput(
            f"probe is None for the target {target.name}; give a few inputs to send, or both classes and "
            "gives_probabilities."
        )
    target.check(probe)
    try:
        reply = target.reply(probe)
    except TargetError:
        raise
    except (Exception, SystemExit) as error:
        raise TargetError(
            f"the target {target.name} raised {type(error).__name__} on {len(probe)} inputs: {error}"
        ) from error
    first = checked_reply(reply, len(probe), classes)
    if first.probabilities is not None:
        return first, first.probabilities.shape[1]
    if (classes := classes or fallback) is None:
        raise TargetError(
            f"the target {target.name} answers labels alone, so the number of classes must be given (--classes N)."
        )
    return first, classes


def at_once(shape: tuple[int, int, int]) -> int:
    """Return how many images of a shape go through a model together."""
    return int(np.clip(_NUMBERS // int(np.prod(shape)), 1, _MOST))
