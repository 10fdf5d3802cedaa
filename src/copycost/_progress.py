"""What a user sees while an audit runs: a bar of time, and what each worker does."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from copycost.errors import InvalidInput

if TYPE_CHECKING:
    from copycost.audit._executor import Message
    from copycost.audit._plan import Plan

__all__ = ["Display"]

_TRUST = 20.0  # seconds of evidence that the plan's own estimate is worth
_LINE_EVERY = 15.0  # seconds between lines where there is no terminal to draw a bar on


class Display:
    """A progress bar on a terminal, a line every few seconds elsewhere."""

    def __init__(self, console: Console, log: Path | None = None) -> None:
        self._console = console
        self._log = _open_log(log)
        self._lock = threading.Lock()
        self._planned = 0.0
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[left]}", markup=False),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._whole: TaskID | None = None
        self._rows: dict[str, TaskID] = {}
        self._weights: dict[str, float] = {}
        self._shares: dict[str, float] = {}
        self._started = self._last_line = time.monotonic()

    def begin(self, plan: Plan) -> None:
        """Start the bar over the tasks of a plan."""
        self._weights = {task.name: task.seconds for task in plan.tasks}
        self._started = time.monotonic()
        self._planned = plan.seconds
        self._bar.start()
        self._whole = self._bar.add_task(f"0 of {len(plan.tasks)} tasks", total=sum(self._weights.values()), left="")

    def tell(self, message: Message) -> None:
        """Show what a worker says."""
        with self._lock:
            if self._log is not None:
                what = "ended" if message.ended else f"{message.stage} {message.share:.0%}"
                self._log.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {message.task}: {what}\n")
            if message.ended:
                self._shares[message.task] = 1.0
                row = self._rows.pop(message.task, None)
                if row is not None:
                    self._bar.remove_task(row)
            elif self._shares.get(message.task) != 1.0:
                self._shares[message.task] = 0.5  # stages do not tell how much of the whole they are
                row = self._rows.get(message.task)
                if row is None:
                    row = self._rows[message.task] = self._bar.add_task("", total=1.0, left="")
                self._bar.update(row, description=f"  {message.task}: {message.stage}", completed=message.share)
            self._update()

    def _update(self) -> None:
        if self._whole is None:
            return
        done = sum(self._weights[name] * share for name, share in self._shares.items())
        total = sum(self._weights.values())
        ended = sum(share == 1.0 for share in self._shares.values())
        left = self._left(done / total if total else 1.0)
        description = f"{ended} of {len(self._weights)} tasks"
        self._bar.update(self._whole, completed=done, description=description, left=left)
        now = time.monotonic()
        if not self._console.is_terminal and now - self._last_line > _LINE_EVERY:
            self._last_line = now
            self._console.print(f"{description}; {left}", markup=False)

    def _left(self, share: float) -> str:
        """Correct the plan's estimate by how the work done so far compares with it."""
        elapsed = time.monotonic() - self._started
        pace = (elapsed + _TRUST) / (self._planned * share + _TRUST)
        seconds = self._planned * (1 - share) * max(pace, 0.2)
        return f"about {seconds / 60:.0f} min left" if seconds > 100 else f"about {seconds:.0f} s left"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()
        if self._log is not None:
            if error is not None:
                self._log.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {type(error).__name__}: {error}\n")
            self._log.close()


def _open_log(path: Path | None) -> IO[str] | None:
    if path is None:
        return None
    try:
        return open(path, "a", encoding="utf-8", buffering=1)
    except OSError as error:
        raise InvalidInput(
            f"the log {path} cannot be written ({error.strerror}); name another file with --log."
        ) from None
