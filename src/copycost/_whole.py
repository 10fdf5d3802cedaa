"""Files that are written whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from copycost.errors import InvalidInput

__all__ = ["written_whole"]


@contextmanager
def written_whole(path: Path, *errors: type[Exception]) -> Iterator[Path]:
    """Give a file beside ``path`` to write to; once it is closed it is made durable and takes the place of ``path``.

    Whoever reads ``path`` finds what was there before or all of what is new, also after a crash. If writing fails,
    nothing is left of the new file.

    Parameters
    ----------
    path : where the file is to lie; its folder exists, or is made first thing inside
    errors : what else than `OSError` tells that a file cannot be written

    Raises
    ------
    InvalidInput
        If it cannot be written.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> path = Path(mkdtemp()) / "note.txt"
    >>> with written_whole(path) as part:
    ...     _ = part.write_text("all of it")
    >>> path.read_text()
    'all of it'
    """
    part = path.with_name(f"{path.name}.{os.getpid()}.part")  # two processes may write the same page
    kinds: tuple[type[Exception], ...] = (OSError, *errors)
    try:
        yield part
        with open(part, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(part, path)
    except kinds as error:
        _remove(part)
        cause = "the disk is full" if getattr(error, "errno", 0) == errno.ENOSPC else _words(error)
        raise InvalidInput(
            f"{path} cannot be written ({cause}); make room or choose another folder, then run again to go on."
        ) from None
    except BaseException:
        _remove(part)
        raise


def _remove(part: Path) -> None:
    with suppress(OSError):  # such as where its folder could not be made
        part.unlink()


def _words(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)
