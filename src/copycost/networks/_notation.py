"""Architectures written as one line: ``name parameter=value ...``."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from copycost.errors import InvalidInput

__all__ = ["Parameter", "nearest", "read_settings", "written"]

Value = int | float | bool


@dataclass(frozen=True)
class Parameter:
    """A parameter of an architecture: its default, whose type is that of its values, and what is allowed."""

    default: Value
    low: float = 0
    high: float = 1

    def read(self, what: str, text: str) -> Value:
        """Return the value that ``text`` stands for.

        Raises
        ------
        InvalidInput
            If it is of another type or out of range.
        """
        if isinstance(self.default, bool):
            if text in ("yes", "no"):
                return text == "yes"
            raise InvalidInput(f"{what} is {text!r}; yes or no is needed.")
        kind = type(self.default)
        try:
            value = kind(text)
        except ValueError:
            value = math.nan
        if self.low <= value <= self.high:
            return value
        number = "a whole number" if kind is int else "a number"
        raise InvalidInput(f"{what} is {text!r}; {number} from {self.low:g} to {self.high:g} is needed.")


def read_settings(name: str, pairs: list[str], parameters: Mapping[str, Parameter]) -> dict[str, Value]:
    """Return the value of every parameter of an architecture, defaults included, in their own order.

    Raises
    ------
    InvalidInput
        For an unknown parameter (the nearest known one is named), one written twice, or a value that is not allowed.
    """
    given: dict[str, Value] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if key not in parameters:
            known = f"it takes {', '.join(parameters)}" if parameters else "it takes none"
            raise InvalidInput(f"the architecture {name} has no parameter {key!r}{nearest(key, parameters)}; {known}.")
        if key in given or not equals:
            raise InvalidInput(
                f"the architecture {name} has {pair!r}; write each parameter once, as name=value, such as "
                f"{key}={written(parameters[key].default)}."
            )
        given[key] = parameters[key].read(f"{name} {key}", value)
    return {key: given.get(key, parameter.default) for key, parameter in parameters.items()}


def written(value: Value) -> str:
    """Return a value as `Parameter.read` reads it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value)
    short = f"{value:g}"
    return short if float(short) == value else repr(value)


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a question that names the known word nearest to ``word``, or nothing."""
    close = difflib.get_close_matches(word.lower(), list(known), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""
