"""``copycost reproduce``: published tables as data, and their cells measured beside them."""

from copycost.reproduce._command import list_tables, run_command
from copycost.reproduce._library import Library, library
from copycost.reproduce._run import render, reproduce
from copycost.reproduce._state import State, state_of
from copycost.reproduce._view import View

__all__ = [
    "Library",
    "State",
    "View",
    "library",
    "list_tables",
    "render",
    "reproduce",
    "run_command",
    "state_of",
]
