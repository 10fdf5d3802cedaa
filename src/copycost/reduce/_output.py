"""Where a reduction is written: what the name of OUT means, and what is never overwritten."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from copycost.datasets._listing import shown
from copycost.errors import InvalidInput

__all__ = ["SCHEMA", "Output"]

SCHEMA = "copycost.reduce/1"
_KINDS = {".txt": "list", ".csv": "table", ".npz": "arrays"}
_PART = ".part"
_COMPANIONS = ("sheet.png", "duplicates.csv", "curve.csv", "curve.svg", "record.json")


@dataclass(frozen=True)
class Output:
    """Where a reduction goes.

    Attributes
    ----------
    path : Path
    kind : {"list", "table", "arrays", "folder"}
        Said by the ending: ``.txt``, ``.csv``, ``.npz``, or none.
    """

    path: Path
    kind: str

    @classmethod
    def parse(cls, text: str) -> Output:
        """Read the name of OUT; a slash at its end makes any name that of a folder.

        Raises
        ------
        InvalidInput
            If it ends otherwise, or its parent is no folder.
        """
        path = Path(os.path.expanduser(text))
        kind = "folder" if text.endswith("/") else _KINDS.get(path.suffix) or ("" if path.suffix else "folder")
        if not kind or not path.name:
            raise InvalidInput(
                f"the output is {text!r}; its ending says what is written: .txt a list, .csv a table, .npz arrays, "
                "none a folder of images (a slash at the end makes any name that of a folder)."
            )
        if not path.parent.is_dir():
            raise InvalidInput(f"the output is {text!r}, but there is no folder {path.parent}; make it first.")
        return cls(path, kind)

    def beside(self, name: str) -> Path:
        """Return the file of that name that goes with OUT, such as ``small.sheet.png`` with ``small.csv``."""
        stem = self.path.name if self.kind == "folder" else self.path.stem
        return self.path.with_name(f"{stem}.{name}")

    def require_free(self, overwrite: bool, inputs: Sequence[Path]) -> None:
        """Refuse to write over what is there, over an input, or into one.

        Raises
        ------
        InvalidInput
            If something of it exists and may not be replaced, OUT is an input or in one or holds one, or nothing can
            be written there.
        """
        for place in inputs:
            self._require_apart(place)
        if not os.access(self.path.parent, os.W_OK | os.X_OK):
            raise InvalidInput(f"nothing may be written into the folder {self.path.parent}; choose another --out.")
        taken = self.existing()
        if not taken:
            return
        if not overwrite:
            raise InvalidInput(f"{taken[0]} exists; choose another --out, or replace it with --overwrite.")
        if self.path.is_dir() and not self.path.is_symlink():
            self._require_mine()

    def _require_apart(self, place: Path) -> None:
        mine, theirs = self.path.resolve(), place.resolve()
        # Where OUT is a link, it is the link that is replaced.
        if mine.is_relative_to(theirs) or (self.kind == "folder" and theirs.is_relative_to(mine)):
            raise InvalidInput(
                f"the output {self.path} and the input {place} lie in each other; write beside it, so that it "
                "stays as it is."
            )

    def existing(self) -> list[Path]:
        """Return what lies already where this is to be written."""
        return [place for place in (self.path, *map(self.beside, _COMPANIONS)) if os.path.lexists(place)]

    def unfinished(self) -> list[Path]:
        """Return the folders in which runs that were killed, or that go on, prepare what is to be written here."""
        prefix = f".{self.path.name}."
        names = [name for name in os.listdir(self.path.parent) if name.startswith(prefix) and name.endswith(_PART)]
        return [self.path.parent / name for name in sorted(names)]

    def prepare(self) -> Path:
        """Make the folder beside OUT in which it is prepared."""
        return Path(tempfile.mkdtemp(prefix=f".{self.path.name}.", suffix=_PART, dir=self.path.parent))

    def _require_mine(self) -> None:
        """Refuse to replace a folder that holds anything but what a reduction wrote there."""
        there = {path.relative_to(self.path).as_posix() for path in self.path.rglob("*") if not _is_folder(path)}
        foreign = sorted(there - self._recorded())
        if foreign:
            raise InvalidInput(
                f"{self.path} holds {shown(foreign[0])}, which was not written by a reduction, so it is not replaced; "
                "remove it yourself or choose another --out."
            )

    def _recorded(self) -> set[str]:
        if self.kind != "folder":
            return set()
        try:
            record = json.loads(self.beside("record.json").read_text(encoding="utf-8", errors="surrogateescape"))
            return set(record["files"]) if record["schema"] == SCHEMA and record["kind"] == "folder" else set()
        except (OSError, ValueError, KeyError, TypeError):
            return set()

    def replace(self, prepared: Path, names: Sequence[str]) -> None:
        """Move what was prepared into place, and what it replaces away; either all of it is done or nothing."""
        aside = prepared / "before"
        aside.mkdir()
        try:
            for place in self.existing():
                place.rename(aside / place.name)
            for name in names:
                (prepared / name).rename(self.path.with_name(name))
        except BaseException:
            for name in names:
                place = self.path.with_name(name)
                if not os.path.lexists(prepared / name) and os.path.lexists(place):
                    place.rename(prepared / name)
            for old in aside.iterdir():
                old.rename(self.path.with_name(old.name))
            raise


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()
