"""How much memory a data set may take, so that one too large is refused before the machine stalls."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from copycost.errors import InvalidInput

_MEMINFO = Path("/proc/meminfo")
_CONTAINER = Path("/sys/fs/cgroup/memory.max")
_SHARE = 4  # every worker process holds the set once


def memory_limit() -> int:
    """Return the bytes that one data set may take: a quarter of what is free now, or of what a container may use."""
    known = [_free()]
    with suppress(OSError, ValueError):  # no container, or one without a limit ("max")
        known.append(int(_CONTAINER.read_text()))
    return min(known) // _SHARE


def _free() -> int:
    try:
        fields = dict(line.split(":", 1) for line in _MEMINFO.read_text().splitlines() if ":" in line)
        return int(fields["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


_SMALLER_IMAGES = (
    "Take a part, such as [:10000], or make the images smaller with --transform size=HxW or grey with colour=grey."
)


def require_memory(size: int, what: str, *, form: str = "uint8 arrays", advice: str = _SMALLER_IMAGES) -> None:
    """Refuse what would take more than `memory_limit`.

    Raises
    ------
    InvalidInput
        If ``size`` bytes are too many; the text names both numbers and what to do.
    """
    limit = memory_limit()
    if size > limit:
        raise InvalidInput(
            f"{what} takes {_words(size)} of memory as {form}; at most {_words(limit)} are allowed, a quarter of "
            f"what is free. {advice}"
        )


def require_memory_for_texts(size: int, what: str) -> None:
    """Refuse texts that would take more than `memory_limit`, as `require_memory` does."""
    require_memory(size, what, form="strings", advice="Take a part, such as [:10000].")


def _words(size: int) -> str:
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.1f} MiB"
