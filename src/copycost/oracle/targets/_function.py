"""Any Python callable as a target, named ``module:function``."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np

from copycost._types import AnyArray
from copycost.errors import TargetError
from copycost.inputs import Images, Inputs, Texts
from copycost.oracle.targets._base import Target
from copycost.oracle.targets._probe import probed_form

__all__ = ["FunctionTarget"]


class FunctionTarget(Target):
    """A callable that takes uint8 images (n, height, width, channels), or a list of n str, and returns an answer each.

    It returns labels (n,) or probabilities (n, classes).

    Parameters
    ----------
    function : the callable
    probe : a few inputs, sent once to learn what it returns; None where that is known. The caller records them
    classes : number of classes; needed where it returns labels alone
    fallback : number of classes where it returns labels alone and ``classes`` is None
    name : how reports call it
    gives_probabilities : whether it returns probabilities; with this and ``classes`` given nothing is sent
    medium : "image" or "text"; left out, that of the probe, or images where there is none

    Raises
    ------
    TargetError
        If it raises on the probe or answers with something that is not an answer.
    InvalidInput
        If there is neither a probe nor what it would tell.
    """

    def __init__(
        self,
        function: Callable[[Any], Any],
        probe: Inputs | None,
        *,
        classes: int | None,
        fallback: int | None = None,
        name: str,
        gives_probabilities: bool | None = None,
        medium: str | None = None,
    ) -> None:
        self.name = name
        self.medium = medium or ("image" if probe is None else probe.medium)
        self._function = function
        if gives_probabilities is None or classes is None:
            self.probed, classes = probed_form(self, probe, classes, fallback)
            gives_probabilities = self.probed.probabilities is not None
        self.gives_probabilities = gives_probabilities
        self.classes = classes

    @classmethod
    def load(
        cls,
        text: str,
        probe: Inputs | None,
        *,
        classes: int | None,
        fallback: int | None = None,
        gives_probabilities: bool | None = None,
        medium: str | None = None,
    ) -> FunctionTarget:
        """Import ``module:function``, which runs its code, looking in the working directory first."""
        module_name, _, attribute = text.partition(":")
        if not module_name or not attribute:
            raise TargetError(
                f"the target {text!r} does not name a function; write module:function, with the module in "
                "the working directory or installed."
            )
        here = str(Path.cwd())
        if here not in sys.path:
            sys.path.insert(0, here)
        try:
            module = importlib.import_module(module_name)
        except (Exception, SystemExit) as error:
            raise TargetError(
                f"the target {text} could not be imported: {type(error).__name__}: {error}. "
                "Write module:function, with the module in the working directory or installed."
            ) from error
        function = getattr(module, attribute, None)
        if not callable(function):
            items = vars(module).items()
            found = [key for key, value in items if callable(value) and not key.startswith("_")][:8]
            raise TargetError(
                f"the module {module_name} has no function {attribute!r}; it has: {', '.join(found) or 'none'}."
            )
        return cls(
            function,
            probe,
            classes=classes,
            fallback=fallback,
            name=text,
            gives_probabilities=gives_probabilities,
            medium=medium,
        )

    def reply(self, inputs: Inputs) -> AnyArray:
        """Return what the callable returns; it gets a copy that it may change."""
        if isinstance(inputs, Texts):
            return np.asarray(self._function(list(inputs.texts)))
        return np.asarray(self._function(cast(Images, inputs).array.copy()))
