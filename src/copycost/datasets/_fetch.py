"""Fetching what a folder lacks, and saying plainly what to do where that fails."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from http.client import HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

from copycost.errors import MissingData, MissingExtra


def optional(module: str) -> ModuleType:
    """Import an optional module, or say how to install it."""
    try:
        return importlib.import_module(module)
    except (ImportError, RuntimeError) as error:
        # torchvision raises RuntimeError where its build does not match torch's.
        raise MissingExtra(
            f"the package {module.partition('.')[0]} is needed and cannot be imported ({error}); install "
            "it with: pip install 'copycost[audit]', torch and torchvision together."
        ) from error


def ensure(
    name: str,
    paths: Sequence[Path],
    data_dir: Path,
    *,
    origin: str,
    download: bool,
    fetch: Callable[[Path], object],
) -> None:
    """Make sure that every file or folder of ``paths`` exists below ``data_dir``, fetching once where one is missing.

    ``fetch`` fills an empty folder laid out as ``data_dir``. Its files move over only when it succeeds, so
    that a download that breaks off or fails its checksum leaves nothing behind that looks complete.

    Raises
    ------
    MissingData
        If a file is still missing; the text names it, its folder, why fetching failed and where to get it.
    """
    if not _missing(paths):
        return
    reason = _fetched(data_dir, fetch) if download else "downloading was turned off"
    missing = _missing(paths)
    if missing:
        names = ", ".join(path.name for path in missing)
        raise MissingData(
            f"{name} is not complete: {names} not found in {missing[0].parent}, and {reason}. Run once "
            f"where there is a network, or get the file from {origin} and put it there, or name the folder "
            "that has it with --data-dir or COPYCOST_DATA."
        )


def require(name: str, paths: Sequence[Path], *, layout: str) -> None:
    """Make sure that every file or folder of ``paths`` exists, where there is no address to fetch it from.

    Raises
    ------
    MissingData
        If one is missing; the text names it and its folder, and ``layout`` says where to get it and how to lay it.
    """
    missing = _missing(paths)
    if missing:
        names = ", ".join(path.name for path in missing)
        raise MissingData(
            f"{name} is not complete: {names} not found in {missing[0].parent}, and it is not fetched from here: "
            f"{layout}. Put it there, or name the folder that has it with --data-dir or COPYCOST_DATA."
        )


def _fetched(data_dir: Path, fetch: Callable[[Path], object]) -> str:
    """Fetch, move into place what is not there; return what to say if a file is missing even so."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=data_dir, prefix=".download-") as scratch:
            fetch(Path(scratch))
            for found in sorted(Path(scratch).iterdir()):
                _move(found, data_dir / found.name)
    except (OSError, RuntimeError, HTTPException) as error:
        return f"the download failed: {' '.join(str(error).split())}"
    return "the download did not bring it"


def _move(found: Path, place: Path) -> None:
    """Move a file or a folder, which goes whole where nothing is in its place; nothing is replaced."""
    if not place.exists():
        found.rename(place)
    elif found.is_dir() and place.is_dir():
        for inner in sorted(found.iterdir()):
            _move(inner, place / inner.name)


def _missing(paths: Sequence[Path]) -> list[Path]:
    return [path for path in paths if not path.exists()]
