"""Where a reduction is written: what the name of OUT means, and what is never overwritten."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from copycost.errors import InvalidInput

__all__ = ["SCHEMA", "Output"]

SCHEMA = "copycost.reduce/1"
_KINDS = {".txt": "list", ".csv": "table", ".npz": "arrays"}
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

    def require_free(self, overwrite: bool, pool: Path | None) -> None:
        """Refuse to write over what is there, or into the pool.

        Raises
        ------
        InvalidInput
            If something of it exists and may not be replaced, or OUT and the pool's folder lie in each other.
        """
        if pool is not None:
            mine, theirs = self.path.resolve(), pool.resolve()
            if mine.is_relative_to(theirs) or (self.kind == "folder" and theirs.is_relative_to(mine)):
                raise InvalidInput(
                    f"the output {self.path} and the pool {pool} lie in each other; write beside the pool, so that it "
                    "stays as it is."
                )
        taken = [place for place in (self.path, *map(self.beside, _COMPANIONS)) if os.path.lexists(place)]
        if not taken:
            return
        if not overwrite:
            raise InvalidInput(f"{taken[0]} exists; choose another --out, or replace it with --overwrite.")
        if self.path.is_dir() and not self.path.is_symlink() and not self._mine():
            raise InvalidInput(
                f"{self.path} is a folder that was not written by a reduction, so it is not replaced; remove it "
                "yourself or choose another --out."
            )

    def _mine(self) -> bool:
        if self.kind != "folder":
            return False
        try:
            record = json.loads(self.beside("record.json").read_text(encoding="utf-8"))
            return bool(record["schema"] == SCHEMA and record["kind"] == "folder")
        except (OSError, ValueError, KeyError, TypeError):
            return not any(self.path.iterdir())

    def clear(self) -> None:
        """Remove what an earlier reduction wrote here; called when the new one is ready."""
        for place in map(self.beside, _COMPANIONS):
            place.unlink(missing_ok=True)
        if self.path.is_dir() and not self.path.is_symlink():
            shutil.rmtree(self.path)
        else:
            self.path.unlink(missing_ok=True)
