"""A list of pool members chosen by hand, read from a file."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from copycost._types import IntArray
from copycost.errors import InvalidInput
from copycost.strategies._base import Knowledge, Queries, Strategy

__all__ = ["Listed"]

_DIGITS = 16  # of the SHA-256 that names the content
_LONGEST = 64 << 20  # bytes
_HEADINGS = ("index", "pool_index")  # as copycost reduce and copycost export write them


@dataclass(frozen=True)
class Listed(Strategy):
    """The first members of a file's list, in its order: what somebody has chosen by hand.

    Written ``list:FILE``, where FILE has no white space in its path. It is read when it is named, and from then on
    written ``list:FILE sha256=...``, the first 16 digits of its hash: the content is part of what names a cell, and a
    file that was changed since is refused. The file holds one pool index a line, or is a CSV file with a column
    ``index`` or ``pool_index``; empty lines count for nothing.

    An index counts the inputs of the pool as it is loaded, from 0, as `copycost reduce` and `copycost export` do. An
    audit leaves out inputs that repeat an earlier one; the index of such a repeat leads to the input it repeats.
    (Records count what is left; an export translates them.) Members that are not free, as they validate the copy or the
    list has led to them before, are passed over, and the record says how many (``passed_over``).

    Attributes
    ----------
    path : str
        As the user wrote it; relative to the working directory.
    sha256 : str
        First 16 hexadecimal digits of the file's hash; read from the file where it is left out.

    Raises
    ------
    InvalidInput
        If the file cannot be read, is not what ``sha256`` says, holds what is no whole number of 0 or more, names a
        member twice, or none.
    """

    name: ClassVar[str] = "list"
    source: ClassVar[str] = "DRMI, section 5.1, manual reduction method, Table 3"

    path: str
    sha256: str = ""

    def __post_init__(self) -> None:
        if not self.path or self.path.split() != [self.path]:
            raise InvalidInput(
                f"list is given the file {self.path!r}; a path without white space is needed, list:FILE."
            )
        if not self.sha256:
            object.__setattr__(self, "sha256", _digest(_content(self.path)))
            self.indices()
        elif len(self.sha256) != _DIGITS or set(self.sha256) - set("0123456789abcdef"):
            raise InvalidInput(
                f"list sha256 is {self.sha256!r}; {_DIGITS} hexadecimal digits are needed, or leave it out to have it "
                "read from the file."
            )

    def indices(self) -> IntArray:
        """Return the pool indices of the file, int64, in its order."""
        content = _content(self.path)
        if _digest(content) != self.sha256:
            raise InvalidInput(
                f"the list {self.path} has the hash {_digest(content)}, not {self.sha256}: it was changed since it was "
                "named. Put it back, or name it without sha256 and begin anew."
            )
        return _read(content, self.path)

    def check_count(self, k: int, free: int) -> None:
        """Refuse also more than the file holds."""
        super().check_count(k, free)
        held = len(self.indices())
        if k > held:
            raise InvalidInput(
                f"the list {self.path} holds {held} indices and {k} queries are to be chosen from it; ask for "
                "fewer, or add to the list."
            )

    def most(self, knowledge: Knowledge) -> int:
        """Return how many listed members are free."""
        return len(self._free(self._led_to(knowledge), knowledge))

    def choose(self, knowledge: Knowledge, k: int, *, rng: np.random.Generator) -> Queries:
        """Return the first ``k`` listed members that are free."""
        members = self._led_to(knowledge)
        free = self._free(members, knowledge)
        if len(free) < k:
            raise InvalidInput(
                f"of the {len(members)} indices in the list {self.path} {len(free)} are free, and {k} queries are to "
                "be chosen; lower the budget or validation_share, or add to the list."
            )
        last = int(np.flatnonzero(members == free[k - 1])[0])
        return Queries.members(knowledge.pool, free[:k], {"passed_over": last + 1 - k})

    def _led_to(self, knowledge: Knowledge) -> IntArray:
        """Return the pool index that each listed one leads to, or refuse one beyond the pool."""
        listed, numbering = self.indices(), knowledge.numbering
        size = len(knowledge.pool) if numbering is None else len(numbering)
        if listed.max() >= size:
            row = int((listed >= size).argmax())
            raise InvalidInput(
                f"the list {self.path} holds the index {listed[row]}, and the pool has {size} inputs, 0 to {size - 1}; "
                "leave it out, or choose the pool it was made for."
            )
        return listed if numbering is None else numbering[listed]

    @staticmethod
    def _free(members: IntArray, knowledge: Knowledge) -> IntArray:
        """Return those of ``members`` that are free, each once, in their order."""
        once = members[np.sort(np.unique(members, return_index=True)[1])]
        return once[np.isin(once, knowledge.free())]

    def __str__(self) -> str:
        return f"list:{self.path} sha256={self.sha256}"


def _content(path: str) -> bytes:
    try:
        with open(Path(path).expanduser(), "rb") as file:
            content = file.read(_LONGEST + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise InvalidInput(
            f"the list {path} cannot be read ({why}); name a file of pool indices, one a line."
        ) from None
    if len(content) > _LONGEST:
        raise InvalidInput(f"the list {path} has more than {_LONGEST} bytes; one pool index a line is needed.")
    return content


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:_DIGITS]


def _read(content: bytes, path: str) -> IntArray:
    """Return the indices of a file's content; ``path`` is what errors call it."""
    reader = csv.reader(content.decode("utf-8-sig", "replace").splitlines(), skipinitialspace=True)
    try:
        rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if "".join(row).strip()]
    except csv.Error as error:
        raise InvalidInput(
            f"line {reader.line_num} of the list {path} cannot be read as CSV ({error}); one pool index a line is "
            "needed."
        ) from None
    column = 0
    headed = [name for name in _HEADINGS if rows and name in rows[0][1]]
    if headed:
        column, rows = rows[0][1].index(headed[0]), rows[1:]
    elif rows and len(rows[0][1]) > 1:
        raise InvalidInput(
            f"the list {path} has {len(rows[0][1])} columns and none is headed index or "
            "pool_index; name it so in the first line."
        )
    if not rows:
        raise InvalidInput(f"the list {path} holds no index; one pool index a line is needed.")
    found: dict[int, None] = {}
    for line, cells in rows:
        cell = cells[column] if column < len(cells) else ""
        if not (cell.isascii() and cell.isdigit() and len(cell) < 19):
            raise InvalidInput(
                f"line {line} of the list {path} holds {cell[:40]!r}; a pool index is needed, a whole number of 0 or "
                "more."
            )
        if int(cell) in found:
            cells_of = ", of an export of several cells the lines of one" if headed else ""
            raise InvalidInput(
                f"line {line} of the list {path} repeats the index {int(cell)}; name each member once{cells_of}."
            )
        found[int(cell)] = None
    return np.array(list(found), np.int64)
