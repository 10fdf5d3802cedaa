"""Errors a user can act on: each message names the argument, the value, what is allowed and what to do."""


class CopycostError(Exception):
    """Base of every error that copycost raises on purpose; the command line prints its text, never a traceback."""


class Stopped(CopycostError):
    """The user stopped a long command; what is finished is kept."""


class InvalidInput(CopycostError, ValueError):
    """An argument, array or file does not satisfy its contract."""


class TargetError(CopycostError):
    """The target could not be loaded, raised, or answered with something that is not an answer."""


class LedgerError(CopycostError):
    """A ledger belongs to another target or version, is damaged, or is in use by another run."""


class SpecMismatch(CopycostError):
    """A folder already holds an audit of a different spec."""


class MissingData(CopycostError):
    """A named data set is not on this machine and could not be fetched."""


class MissingExtra(CopycostError, ImportError):
    """A feature needs an optional dependency that is not installed."""
