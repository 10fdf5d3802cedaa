"""What queries cost a copier: money and hours."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from copycost.audit._summary import AuditResult, Needed
from copycost.errors import InvalidInput
from copycost.measures import QueriesNeeded

__all__ = ["Cost", "fewest_needed", "headline_level"]

_HOURS = {"s": 3600.0, "min": 60.0, "h": 1.0}


@dataclass(frozen=True)
class Cost:
    """How queries turn into money and hours.

    Attributes
    ----------
    price : float or None
        Money for one query, in whatever currency the user thinks in.
    rate : float or None
        Queries an hour.

    Examples
    --------
    >>> Cost.read(0.002, "10/s").words(500)
    '500 queries: 1.00 in money, 50 seconds'
    >>> Cost.read(0.002, None).words(500, looks=1500)
    '500 queries and 1,500 looks inside: 4.00 in money'
    """

    price: float | None = None
    rate: float | None = None

    @classmethod
    def read(cls, price: float | None, rate: str | None) -> Cost:
        """Check a price a query (0 or more) and read a rate such as ``10/s``, ``600/min`` or ``36000/h``.

        Raises
        ------
        InvalidInput
            If either cannot be.
        """
        if price is not None and not (math.isfinite(price) and price >= 0):
            raise InvalidInput(f"price is {price}; money for one query, 0 or more, is needed.")
        if rate is None:
            return cls(price)
        match = re.fullmatch(r"(\d+(?:\.\d+)?)/(s|min|h)", rate)
        if match is None or float(match[1]) == 0:
            raise InvalidInput(f"rate is {rate!r}; write queries over time, such as 10/s, 600/min or 36000/h.")
        return cls(price, float(match[1]) * _HOURS[match[2]])

    @property
    def known(self) -> bool:
        """Whether there is anything to say."""
        return self.price is not None or self.rate is not None

    def money(self, queries: float) -> str | None:
        """Return the price of so many queries, or None without a price."""
        return None if self.price is None else f"{queries * self.price:,.2f}"

    def time(self, queries: float) -> str | None:
        """Return how long so many queries take, or None without a rate."""
        if self.rate is None:
            return None
        hours = queries / self.rate
        if hours >= 1:
            return f"{hours:,.1f} hours"
        return f"{60 * hours:.0f} minutes" if hours * 60 >= 2 else f"{3600 * hours:.0f} seconds"

    def words(self, queries: float, looks: int = 0) -> str:
        """Return the cost of so many queries as a phrase; the target answers to looks inside it as well."""
        money, length = self.money(queries + looks), self.time(queries + looks)
        parts = [*([f"{money} in money"] if money else []), *([length] if length else [])]
        inside = f" and {looks:,} looks inside" if looks else ""
        return f"{queries:,.0f} queries{inside}: {', '.join(parts)}"

    def of(self, needed: QueriesNeeded, looks: int = 0) -> str:
        """Return what the queries needed cost; of a level that was not reached, what the largest budget costs."""
        if needed.queries is None:
            return "more than " + self.words(needed.largest, looks)
        return self.words(needed.queries, looks)


def headline_level(result: AuditResult) -> float:
    """Return the level of agreement that headlines speak of: 0.9 where it was measured, else the highest."""
    return 0.9 if 0.9 in result.spec.levels else result.spec.levels[-1]


def fewest_needed(result: AuditResult) -> Needed | None:
    """Return the strategy and answers that need the fewest queries for the headline level; None if none gets there."""
    reached = [row for row in result.needed if row.level == headline_level(result) and row.needed.queries is not None]
    return min(reached, key=lambda row: row.needed.queries or 0.0, default=None)
