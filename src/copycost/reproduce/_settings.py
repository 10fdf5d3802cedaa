"""The setting of a published cell: which records measure it, at which scale."""

from __future__ import annotations

import functools
from typing import Annotated, Any, Literal, get_args

from pydantic import ConfigDict, RootModel, TypeAdapter, field_validator

from copycost.audit import CellSpec
from copycost.errors import InvalidInput

__all__ = ["SEARCHED", "Settings", "checked"]

Statistic = Literal["mean", "top", "deviation"]
SEARCHED = tuple(name for name in CellSpec.model_fields if name != "seed")
_OTHERS = ("audit", "measure", "statistic", "architecture", "shape", "classes")
_ALLOWED = {*SEARCHED, *_OTHERS}
_SCALES = {"small", "paper"}


class Settings(RootModel[dict[str, Any]]):
    """Names and values, each for all scales or one for each scale; of a scale left out nothing is measured.

    Names are those of a cell's spec, which the records must have, and: ``audit``, one name or several; ``measure``, in
    place of the panel's; ``statistic`` over seeds (mean, top, deviation); ``architecture``, ``shape`` and ``classes``
    of a network that is built. A list of strategies stands for the best of them.
    """

    model_config = ConfigDict(frozen=True)
    root: dict[str, Any] = {}

    @field_validator("root", mode="before")
    @classmethod
    def _known(cls, value: Any) -> Any:
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise InvalidInput(f"a setting is {value!r}; names with values are needed, such as {{strategy: random}}.")
        for name in value:
            if name not in _ALLOWED:
                raise InvalidInput(f"a setting is called {name!r}; allowed are {', '.join(sorted(_ALLOWED))}.")
        statistics = get_args(Statistic)
        if value.get("statistic", "mean") not in statistics:
            raise InvalidInput(f"statistic is {value['statistic']!r}; allowed are {', '.join(statistics)}.")
        return value

    def at(self, scale: str) -> dict[str, Any] | None:
        """Return what is set at a scale, or None where something is set at another scale alone."""
        found = {}
        for name, value in self.root.items():
            if _by_scale(value):
                if value.get(scale) is None:
                    return None
                value = value[scale]
            found[name] = value
        return found


def _by_scale(value: Any) -> bool:
    return isinstance(value, dict) and bool(value) and set(value) <= _SCALES


def checked(name: str, value: Any) -> Any:
    """Return the value of one field of a cell's spec as records hold it: texts in their canonical form."""
    return _adapter(name).validate_python(value)


@functools.cache
def _adapter(name: str) -> TypeAdapter[Any]:
    field = CellSpec.model_fields[name]
    kind: Any = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
    return TypeAdapter(kind)
