"""The command line: parses, calls, prints."""

from __future__ import annotations

import errno
import os
import signal
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from copycost._cli_audit import audit, compare, export, report
from copycost._cli_reduce import reduce
from copycost._cli_reproduce import reproduce
from copycost._version import __version__
from copycost.errors import CopycostError, Stopped

app = typer.Typer(
    help="How many queries does it take to copy a classifier? Measure it on models that you own or may test.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"copycost {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Hold the options that come before a command."""


for _command in (audit, report, compare, export, reduce, reproduce):
    app.command()(_command)


def main() -> None:
    """Run the command line; an error is a sentence, never a traceback."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        app()
    except Stopped as error:
        _say(str(error), head="")
        sys.exit(130)
    except CopycostError as error:
        _say(str(error))
        sys.exit(2)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.EFBIG):
            _own_defect(error)
        _say(f"{error.filename or 'a file'} cannot be used ({error.strerror}); make room or choose another place.")
        sys.exit(2)
    except Exception as error:
        _own_defect(error)


def _own_defect(error: Exception) -> NoReturn:
    log = Path(tempfile.gettempdir()) / f"copycost-error-{os.getpid()}.log"
    log.write_text(traceback.format_exc(), encoding="utf-8")
    _say(f"copycost met a defect of its own ({type(error).__name__}: {error}); please report it with {log}.")
    sys.exit(70)


def _say(text: str, head: str = "error: ") -> None:
    print(f"{head}{text}", file=sys.stderr)
