"""Time limits, and how far a solver has come."""

from __future__ import annotations

import time
from collections.abc import Callable

from copycost.errors import InvalidInput

__all__ = ["Clock", "Progress"]

Progress = Callable[[float], None]


class Clock:
    """Tells when a time limit in seconds has passed; None is no limit."""

    def __init__(self, seconds: float | None) -> None:
        if seconds is not None and not seconds > 0:
            raise InvalidInput(f"seconds is {seconds!r}; a positive number is needed. Pass None for no limit.")
        self.seconds = seconds
        self._begin = time.monotonic()

    def spent(self) -> float:
        """Return the seconds since the clock was made."""
        return time.monotonic() - self._begin

    def over(self) -> bool:
        """Return whether the limit has passed."""
        return self.seconds is not None and self.spent() >= self.seconds
