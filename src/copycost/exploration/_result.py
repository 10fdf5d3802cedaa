"""What an exploration found, and its form as a JSON document."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from copycost.errors import InvalidInput

__all__ = ["Exploration", "Plane"]


@dataclass(frozen=True)
class Plane:
    """Points of a sample in two dimensions, or why there are none.

    Attributes
    ----------
    method : str
        What put them there, in words.
    points : tuple of (float, float)
        One for each member of the sample, to five significant digits; empty where ``reason`` says why.
    explained : tuple of float or None
        Shares of the variance that the two axes explain; None where axes have no such meaning.
    reason : str
        Why there are no points; empty where there are.
    """

    method: str
    points: tuple[tuple[float, float], ...] = ()
    explained: tuple[float, float] | None = None
    reason: str = ""


@dataclass(frozen=True)
class Exploration:
    """A data set as one sees it before an audit.

    Attributes
    ----------
    name : str
        The text it was loaded by.
    medium : str
        "image" or "text".
    digest : str
        Of all its inputs, so that indices are never looked up in another set.
    count : int
        Number of inputs.
    classes : tuple of str
        Names of the classes; empty without labels.
    balance : tuple of int
        Inputs of each class; empty without labels.
    samples : tuple of tuple of int
        A few indices of each class, ascending; one group of any without labels.
    share : float
        Share of the inputs that was to be drawn.
    sample : tuple of int
        Indices drawn, in proportion to the classes, ascending.
    labels : tuple of int
        Class of each of them; empty without labels.
    linear, neighbours : Plane
        The sample by its two directions of largest variance, and by t-SNE.
    versions : mapping of str to str
        Of the packages that made the planes.
    """

    name: str
    medium: str
    digest: str
    count: int
    classes: tuple[str, ...]
    balance: tuple[int, ...]
    samples: tuple[tuple[int, ...], ...]
    share: float
    sample: tuple[int, ...]
    labels: tuple[int, ...]
    linear: Plane
    neighbours: Plane
    versions: Mapping[str, str] = field(default_factory=dict)

    def as_document(self) -> dict[str, Any]:
        """Return it as a JSON document, which `from_document` reads."""
        return dataclasses.asdict(self)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Exploration:
        """Read what `as_document` wrote.

        Raises
        ------
        InvalidInput
            If parts are missing, unknown or of another form.
        """
        try:
            values = dict(document)
            for name in ("classes", "balance", "sample", "labels"):
                values[name] = tuple(values[name])
            values["samples"] = tuple(tuple(group) for group in values["samples"])
            for name in ("linear", "neighbours"):
                values[name] = _plane(values[name])
            found = cls(**values)
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidInput(
                f"an exploration cannot be read ({error}); make it again by running the audit."
            ) from None
        for plane in (found.linear, found.neighbours):
            if plane.points and len(plane.points) != len(found.sample):
                raise InvalidInput(
                    f"an exploration of {found.name} holds {len(plane.points)} points of {len(found.sample)} inputs; "
                    "make it again by running the audit."
                )
        return found


def _plane(document: Mapping[str, Any]) -> Plane:
    explained = document["explained"]
    return Plane(
        document["method"],
        tuple((float(x), float(y)) for x, y in document["points"]),
        None if explained is None else (float(explained[0]), float(explained[1])),
        document["reason"],
    )
