"""What a published table may hold as data: its cells as printed, and the setting of each."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from copycost.errors import InvalidInput
from copycost.reproduce._numbers import Form
from copycost.reproduce._settings import Settings

__all__ = [
    "EXPLORED",
    "SCALES",
    "AuditFile",
    "AuditPair",
    "Flag",
    "Need",
    "Panel",
    "Published",
    "Ratio",
    "Scale",
    "Side",
    "Table",
    "per_cent",
]

Scale = Literal["small", "paper"]
SCALES: tuple[Scale, ...] = ("small", "paper")
_NUMBER = re.compile(r"<?-?\d+(\.\d+)?")  # <10 is a bound
_SHARE = re.compile(r"\d{1,3} %")
_NOTHING = "-"
EXPLORED = ("samples", "sequence", "balance", "planes")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Source(_Strict):
    """Where a table is printed."""

    paper: str
    item: str
    section: str | None = None


class Need(_Strict):
    """What a table needs that not every machine, or not yet copycost, has."""

    kind: Literal["gpu", "imagenet", "method"]
    what: str = ""


def _need(value: Any) -> Any:
    """Let ``gpu``, ``imagenet`` and ``method: what is missing`` stand for a need."""
    if isinstance(value, str):
        return {"kind": value}
    if isinstance(value, dict) and set(value) == {"method"}:
        return {"kind": "method", "what": value["method"]}
    return value


class Flag(_Strict):
    """A footnote to a cell, a row or a column (those left out are all meant).

    Of a truncated print, ``between`` says from which number on and below which one the whole number lies.
    """

    kind: Literal["truncated", "misprint", "unknown", "note"]
    text: str
    panel: str | None = None
    row: str | None = None
    column: str | None = None
    between: tuple[float, float] | None = None

    @model_validator(mode="after")
    def _complete(self) -> Flag:
        if (self.kind == "truncated") != (self.between is not None):
            raise InvalidInput("'between' belongs to a truncated print, and each needs one, such as [98, 99].")
        return self


class Published(_Strict):
    """A number as printed, and between which numbers the whole one lies: half a last digit away, or more if cut.

    ``<10`` is printed of what is only said to lie below it.
    """

    text: str
    cut: tuple[float, float] | None = None

    @property
    def value(self) -> float:
        """The number itself, or the bound."""
        return float(self.text.removeprefix("<"))

    @property
    def bounds(self) -> bool:
        """Whether it is a bound and no number."""
        return self.text.startswith("<")

    @property
    def exact(self) -> bool:
        """Whether it is a number to its last digit, which can be put in order with others."""
        return self.cut is None and not self.bounds

    @property
    def low(self) -> float:
        """The smallest number that is printed so."""
        if self.bounds:
            return -math.inf
        return self.cut[0] if self.cut else self.value - self._half

    @property
    def high(self) -> float:
        """The largest number that is printed so."""
        if self.bounds:
            return self.value
        return self.cut[1] if self.cut else self.value + self._half

    @property
    def digits(self) -> int:
        """Digits after the point."""
        return len(self.text.partition(".")[2])

    @property
    def _half(self) -> float:
        return 10.0**-self.digits / 2


def _tokens(value: Any) -> Any:
    if not isinstance(value, str):
        raise InvalidInput(f"it is {value!r}; write the numbers of a row as one quoted text, as they are printed.")
    return value


PrintedRow = Annotated[str, BeforeValidator(_tokens)]


def per_cent(column: str) -> int:
    """Return the number of a column that is a share.

    Examples
    --------
    >>> per_cent("30 %")
    30
    """
    if not _SHARE.fullmatch(column):
        raise InvalidInput(
            f"shares_of is given and a column is {column!r}; write a whole number and %, such as '30 %'."
        )
    return int(column.removesuffix("%"))


class Panel(_Strict):
    """A part of a table: rows by columns, each cell the settings of panel, row and column together.

    ``published`` holds a text for each row: a number for each column as it is printed, ``-`` where there is none.
    ``measure`` is a path into a cell's result (``measures.agreement``), ``target.`` and a path into the result of a
    prepared target, or ``architecture.parameters``; ``1 - PATH`` is its complement, ``off-diagonal
    PATH.N`` the share of row N of a matrix outside column N; settings may give another.
    ``chart`` says what is shown instead of one number: agreement by round, shares of answers by class, a number for
    each epoch, a confusion matrix, or of the data samples, the first training images of each class in their order,
    class balance, or PCA and t-SNE. ``order`` says along what cells are compared: rows, columns, or nothing.
    ``shares_of`` says what the columns are shares of, where they are: ``0 %``, ``10 %`` and so on, rising.
    """

    title: str = Field(min_length=1)
    settings: Settings = Settings()
    rows: dict[str, Settings] = Field(min_length=1)
    columns: dict[str, Settings] = Field(min_length=1)
    measure: str = "measures.agreement"
    published: dict[str, PrintedRow] = {}
    chart: Literal["rounds", "classes", "epochs", "confusion", "samples", "sequence", "balance", "planes"] | None = None
    order: Literal["rows", "columns"] | None = "rows"
    shares_of: str | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _complete(self) -> Panel:
        if self.shares_of is not None:
            shares = [per_cent(column) for column in self.columns]
            if shares != sorted(set(shares)):
                raise InvalidInput(f"shares_of is given and the columns are {', '.join(self.columns)}; they must rise.")
        for row, text in self.published.items():
            if row not in self.rows:
                raise InvalidInput(f"published has the row {row!r}; the rows are {', '.join(self.rows)}.")
            tokens = text.split()
            if len(tokens) != len(self.columns):
                raise InvalidInput(
                    f"published row {row!r} has {len(tokens)} numbers and the panel {len(self.columns)} columns; "
                    f"write one for each, '-' where none is printed."
                )
            for token in tokens:
                if token != _NOTHING and not _NUMBER.fullmatch(token):
                    raise InvalidInput(f"published row {row!r} holds {token!r}; a number or '-' is needed.")
        return self

    def printed(self, row: str, column: str) -> str | None:
        """Return a cell as printed, or None where nothing is."""
        if row not in self.published:
            return None
        token = self.published[row].split()[list(self.columns).index(column)]
        return None if token == _NOTHING else token


class Side(_Strict):
    """One side of a ratio in each panel: a cell, or the best of several rows of a column."""

    panels: tuple[str, ...] = Field(min_length=1)
    rows: tuple[str, ...] = Field(min_length=1)
    column: str


class Ratio(_Strict):
    """A number of the text, or one of ours: the mean over panels of what two cells make together.

    ``of`` says what: one divided by the other, the gap between them in points, or the share in per cent that the gap
    has of the one from ``below`` to ``limit``.
    """

    name: str
    of: Form = "ratio"
    above: Side
    below: Side
    limit: Side | None = None
    published: Annotated[str, BeforeValidator(_tokens)] | None = None
    says: str = ""

    @model_validator(mode="after")
    def _paired(self) -> Ratio:
        if len({len(side.panels) for side in self.sides}) > 1:
            raise InvalidInput(f"the ratio {self.name!r} names unequal numbers of panels above and below.")
        if (self.of == "share") != (self.limit is not None):
            raise InvalidInput(f"the ratio {self.name!r}: 'limit' belongs to a share, and each needs one.")
        return self

    @property
    def sides(self) -> tuple[Side, ...]:
        """Above and below, and the limit if there is one."""
        return (self.above, self.below) if self.limit is None else (self.above, self.below, self.limit)


Name = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)+$")]
ByScale = dict[Scale, tuple[str, ...]]
Needs = dict[Scale, tuple[Annotated[Need, BeforeValidator(_need)], ...]]


class Table(_Strict):
    """A published table or figure, and which cells of which audits measure it."""

    schema_: Literal["copycost.table/1"] = Field(alias="schema")
    name: Name
    title: str
    source: Source
    kind: Literal["table", "figure"]
    unit: Literal["percent", "count", "ratio", "nats", "seconds"] = "percent"
    better: Literal["higher", "lower"] = "higher"
    question: str = ""
    panels: tuple[Panel, ...] = ()
    ratios: tuple[Ratio, ...] = ()
    claims: tuple[str, ...] = ()
    flags: tuple[Flag, ...] = ()
    differs: ByScale = {}
    needs: Needs = {}
    comparable: tuple[Scale, ...] = ("paper",)

    @model_validator(mode="after")
    def _consistent(self) -> Table:
        titles = [panel.title for panel in self.panels]
        if len(set(titles)) < len(titles):
            raise InvalidInput("two panels have one title; give each its own.")
        missing = any(need.kind == "method" for needs in self.needs.values() for need in needs)
        if not self.panels and not missing:
            raise InvalidInput("there is no panel, and 'needs' names no method that is missing.")
        for flag in self.flags:
            self._check_place(flag)
        for ratio in self.ratios:
            for side in ratio.sides:
                for title in side.panels:
                    self._check_side(title, side)
        return self

    def panel(self, title: str) -> Panel:
        """Return the panel of a title."""
        found = next((panel for panel in self.panels if panel.title == title), None)
        if found is None:
            raise InvalidInput(f"there is no panel {title!r}; they are {', '.join(one.title for one in self.panels)}.")
        return found

    def _check_place(self, flag: Flag) -> None:
        panels = self.panels if flag.panel is None else (self.panel(flag.panel),)
        for name, parts in (("row", [p.rows for p in panels]), ("column", [p.columns for p in panels])):
            place = getattr(flag, name)
            if place is not None and not any(place in part for part in parts):
                raise InvalidInput(f"a flag names the {name} {place!r}, which no panel that it means has.")

    def _check_side(self, title: str, side: Side) -> None:
        panel = self.panel(title)
        for name, known in ((side.column, panel.columns), *((row, panel.rows) for row in side.rows)):
            if name not in known:
                raise InvalidInput(f"a ratio names {name!r} in the panel {title!r}, which has {', '.join(known)}.")


class AuditPair(_Strict):
    """One audit at each scale: exactly what a configuration of ``copycost audit`` holds; a scale may be missing."""

    small: dict[str, Any] | None = None
    paper: dict[str, Any] | None = None

    def values(self, scale: Scale) -> dict[str, Any] | None:
        """Return the configuration of a scale."""
        return self.small if scale == "small" else self.paper


class AuditFile(_Strict):
    """A family of audits; ``shared`` is where YAML anchors may stand."""

    schema_: Literal["copycost.audits/1"] = Field(alias="schema")
    shared: dict[str, Any] = {}
    audits: dict[Name, AuditPair] = Field(min_length=1)
