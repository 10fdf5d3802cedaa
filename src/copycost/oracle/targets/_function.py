"""Any Python callable as a target, named ``module:function``."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np

from copycost._types import AnyArray
from copycost.errors import TargetError
from copycost.inputs import Images, Inputs
from copycost.oracle._answers import checked_reply
from copycost.oracle.targets._base import Target

__all__ = ["FunctionTarget"]


class FunctionTarget(Target):
    """A callable that takes uint8 images (n, height, width, channels) and returns labels or probabilities.

    Parameters
    ----------
    function : the callable
    probe : a few inputs, sent once (before any account is opened) to learn what it returns
    classes : number of classes; needed where it returns labels alone
    name : how reports call it
    """

    def __init__(self, function: Callable[[AnyArray], AnyArray], probe: Inputs, *, classes: int | None, name: str) -> None:
        self.name = name
        self._function = function
        try:
            reply = np.asarray(self.reply(probe))
        except Exception as error:
            raise TargetError(f"the target {name} raised {type(error).__name__} on {len(probe)} inputs: {error}") from error
        first = checked_reply(reply, len(probe), classes)
        self.gives_probabilities = first.probabilities is not None
        if first.probabilities is not None:
            self.classes = first.probabilities.shape[1]
        elif classes is not None:
            self.classes = classes
        else:
            raise TargetError(f"the target {name} answers labels alone, so the number of classes must be given (--classes N).")

    @classmethod
    def load(cls, text: str, probe: Inputs, *, classes: int | None) -> FunctionTarget:
        """Import ``module:function``, which runs the module's code, looking in the working directory first."""
        module_name, _, attribute = text.partition(":")
        here = str(Path.cwd())
        if here not in sys.path:
            sys.path.insert(0, here)
        try:
            module = importlib.import_module(module_name)
        except Exception as error:
            raise TargetError(
                f"the target {text} could not be imported: {type(error).__name__}: {error}. "
                "Write module:function, with the module in the working directory or installed."
            ) from error
        function = getattr(module, attribute, None)
        if not callable(function):
            found = [name for name, value in vars(module).items() if callable(value) and not name.startswith("_")][:8]
            raise TargetError(f"the module {module_name} has no function {attribute!r}; it has: {', '.join(found) or 'none'}.")
        return cls(function, probe, classes=classes, name=text)

    def reply(self, inputs: Inputs) -> AnyArray:
        """Return what the callable returns; it gets a copy that it may change."""
        self.check(inputs)
        return np.asarray(self._function(cast(Images, inputs).array.copy()))
