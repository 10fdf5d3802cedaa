"""Strategies by name, and their one-line notation: ``name parameter=value ...``."""

from __future__ import annotations

import dataclasses
import difflib
import types
import typing

from copycost.errors import InvalidInput
from copycost.strategies._base import Strategy
from copycost.strategies._coverage import Coverage
from copycost.strategies._drmi import DRMI
from copycost.strategies._random import Random

__all__ = ["STRATEGIES", "parse"]

STRATEGIES: dict[str, type[Strategy]] = {"random": Random, "drmi": DRMI, "coverage": Coverage}


def parse(text: str) -> Strategy:
    """Read a strategy such as ``random`` or ``drmi alpha=4 group=label``.

    Raises
    ------
    InvalidInput
        For an unknown strategy or parameter (the nearest known one is named) or a value of the wrong type.

    Examples
    --------
    >>> str(parse("drmi group=label alpha=4"))
    'drmi alpha=4 group=label'
    """
    name, *pairs = text.split() or [""]
    if name not in STRATEGIES:
        raise InvalidInput(
            f"strategy {name!r} is not known{_nearest(name, STRATEGIES)}; known are {', '.join(STRATEGIES)}."
        )
    kind = STRATEGIES[name]
    hints = typing.get_type_hints(kind)
    names = [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type]
    fields = {name: hints[name] for name in names}
    values: dict[str, object] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if key not in fields:
            known = f"it takes {', '.join(fields)}" if fields else "it takes none"
            raise InvalidInput(f"strategy {name} has no parameter {key!r}{_nearest(key, fields)}; {known}.")
        if key in values or not equals:
            raise InvalidInput(f"strategy {text!r}: write each parameter once, as name=value; {pair!r} is not.")
        values[key] = _convert(f"{name} {key}", value, fields[key])
    return kind(**values)


def _nearest(word: str, known: typing.Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _convert(what: str, value: str, hint: object) -> object:
    options = typing.get_args(hint) if typing.get_origin(hint) in (typing.Union, types.UnionType) else (hint,)
    for option in options:
        if typing.get_origin(option) is typing.Literal:
            if value in typing.get_args(option):
                return value
            raise InvalidInput(f"{what} is {value!r}; allowed are {', '.join(typing.get_args(option))}.")
        if option is bool and value in ("yes", "no"):
            return value == "yes"
        if option is type(None) and value in ("all", "none"):
            return None
        if option in (int, float):
            try:
                return option(value)
            except ValueError:
                continue
    raise InvalidInput(f"{what} is {value!r}; {_wanted(options)} is needed.")


def _wanted(options: typing.Sequence[object]) -> str:
    words = {int: "a whole number", float: "a number", bool: "yes or no", type(None): "all"}
    return " or ".join(words.get(typing.cast(type, option), str(option)) for option in options)
