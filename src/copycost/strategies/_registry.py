"""Strategies by name, and their one-line notation: ``name parameter=value ...``, two of them joined by `` + ``.

One that reads a file is written ``name:FILE parameter=value ...``.
"""

from __future__ import annotations

import dataclasses
import difflib
import types
import typing

from copycost.errors import InvalidInput
from copycost.strategies._base import Strategy
from copycost.strategies._cmal import CMAL
from copycost.strategies._combination import Combination
from copycost.strategies._coverage import Coverage
from copycost.strategies._dfal import DFAL
from copycost.strategies._drmi import DRMI
from copycost.strategies._hcp import HCP
from copycost.strategies._jbda import JbDA
from copycost.strategies._k_center import KCenter
from copycost.strategies._k_means import KMeans
from copycost.strategies._lcp import LCP
from copycost.strategies._list import Listed
from copycost.strategies._mixture import Mixture
from copycost.strategies._noise import Noise
from copycost.strategies._prada import PRADA
from copycost.strategies._random import Random
from copycost.strategies._trace import Trace
from copycost.strategies._uncertainty import Uncertainty

__all__ = ["OF_FILES", "STRATEGIES", "parse"]

STRATEGIES: dict[str, type[Strategy]] = {
    "random": Random,
    "drmi": DRMI,
    "coverage": Coverage,
    "uncertainty": Uncertainty,
    "k-center": KCenter,
    "dfal": DFAL,
    "noise": Noise,
    "cmal": CMAL,
    "hcp": HCP,
    "lcp": LCP,
    "mixture": Mixture,
    "k-means": KMeans,
    "trace": Trace,
    "jbda": JbDA,
    "prada": PRADA,
}

OF_FILES: dict[str, type[Strategy]] = {"list": Listed}
"""Those that are given a file as their field ``path``, written ``name:FILE``."""


def parse(text: str) -> Strategy:
    """Read a strategy such as ``random``, ``drmi alpha=4 group=label`` or ``list:FILE``, or a combination of two.

    A combination is ``FIRST + SECOND [rho=N]``, with spaces around the sign; ``rho`` belongs to the combination and
    stands after the second name.

    Raises
    ------
    InvalidInput
        For an unknown strategy or parameter (the nearest known one is named), a value of the wrong type, or more than
        two strategies; and if a file cannot be read.

    Examples
    --------
    >>> str(parse("drmi group=label alpha=4"))
    'drmi alpha=4 group=label'
    >>> str(parse("dfal + k-center rho=1000"))
    'dfal + k-center rho=1000'
    """
    words = text.split()
    if "+" not in words:
        return _single(text, words)
    if words.count("+") > 1:
        raise InvalidInput(f"strategy {text!r} combines more than two; write FIRST + SECOND, such as dfal + k-center.")
    sign = words.index("+")
    second, rho = words[sign + 1 :], None
    sizes = [word for word in second if word.startswith("rho=")]
    if len(sizes) > 1:
        raise InvalidInput(f"strategy {text!r}: write rho once.")
    for word in sizes:
        second.remove(word)
        rho = typing.cast(int, _convert("rho", word.removeprefix("rho="), int))
    return Combination(_single(text, words[:sign]), _single(text, second), rho)


def _single(text: str, words: list[str]) -> Strategy:
    """Read the words of one strategy; ``text`` is all that was written."""
    name, *pairs = words or [""]
    form, colon, path = name.partition(":")
    if colon and form in OF_FILES:
        return _built(OF_FILES[form], form, {"path": path}, text, pairs)
    if name not in STRATEGIES:
        known = f"known are {', '.join([*STRATEGIES, *(f'{form}:FILE' for form in OF_FILES)])}"
        if "+" in name:
            known += "; put spaces around the + of a combination"
        raise InvalidInput(f"strategy {name!r} is not known{_nearest(name, STRATEGIES)}; {known}.")
    return _built(STRATEGIES[name], name, {}, text, pairs)


def _built(
    kind: type[Strategy], name: str, given: typing.Mapping[str, object], text: str, pairs: list[str]
) -> Strategy:
    """Return a strategy with the values ``given`` and those of ``pairs``, written as name=value."""
    hints = typing.get_type_hints(kind)
    names = [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type]
    fields = {field: hints[field] for field in names if field not in given}
    values: dict[str, object] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if key not in fields:
            known = f"it takes {', '.join(fields)}" if fields else "it takes none"
            if key == "rho":
                known += "; rho stands at the end of a combination, FIRST + SECOND rho=N"
            raise InvalidInput(f"strategy {name} has no parameter {key!r}{_nearest(key, fields)}; {known}.")
        if key in values or not equals:
            raise InvalidInput(f"strategy {text!r}: write each parameter once, as name=value; {pair!r} is not.")
        values[key] = _convert(f"{name} {key}", value, fields[key])
    return kind(**given, **values)


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
        if option is str:
            return value
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
