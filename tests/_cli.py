"""The command line inside this process, for what ends in an error before any worker starts."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

from copycost.cli import main

HERE = Path(__file__).resolve().parent


def refused(*arguments: str, cwd: Path = HERE) -> str:
    """Run ``copycost`` with arguments that it must refuse, and return what it says."""
    out, said = io.StringIO(), io.StringIO()
    code: object = 0
    with _as_a_command(arguments, cwd), contextlib.redirect_stdout(out), contextlib.redirect_stderr(said):
        try:
            main()
        except SystemExit as stop:
            code = stop.code
    assert code == 2, out.getvalue() + said.getvalue()
    assert "Traceback" not in out.getvalue() + said.getvalue()
    return said.getvalue()


@contextlib.contextmanager
def _as_a_command(arguments: tuple[str, ...], cwd: Path) -> Iterator[None]:
    handler = signal.getsignal(signal.SIGTERM)
    with (
        patch.object(sys, "argv", ["copycost", *arguments]),
        patch.object(sys, "path", [str(HERE), *sys.path]),
        patch.dict(os.environ, {"COLUMNS": "200", "PYTHONPATH": str(HERE)}),
        contextlib.chdir(cwd),
    ):
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, handler)
