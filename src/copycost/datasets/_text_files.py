"""Texts in files of the user's own: one a line, or a table with a column of texts."""

from __future__ import annotations

import csv
import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from copycost.datasets._dataset import Dataset
from copycost.datasets._memory import memory_limit, require_memory_for_texts
from copycost.errors import InvalidInput
from copycost.inputs import Texts

SUFFIXES = (".txt", ".csv")
_BOM = b"\xef\xbb\xbf"
_MOST_CLASSES = 100_000
_NUMBER = re.compile(r"[+-]?[0-9]*[.,]?[0-9]+([.,]|[eE][+-]?[0-9]+)?")
_BLANK = "blank lines, left out"


@dataclass
class TextKeeper:
    """Keeps texts ``start`` to ``stop`` of those it is given, counts all of them, and watches the memory they take."""

    what: str
    start: int = 0
    stop: int | None = None
    count: int = 0
    texts: list[str] = field(default_factory=list)
    _size: int = 0

    def add(self, text: str) -> bool:
        """Count a text; return whether it was kept."""
        kept = self.start <= self.count and (self.stop is None or self.count < self.stop)
        self.count += 1
        if kept:
            self.texts.append(text)
            self._size += sys.getsizeof(text) + 8
            if len(self.texts) % 10_000 == 0 or len(text) > 100_000:
                self.check()
        return kept

    def check(self) -> None:
        """Refuse what has come to take too much memory."""
        require_memory_for_texts(self._size, f"{self.what} with {len(self.texts)} texts or more")


def read_lines(path: Path, start: int = 0, stop: int | None = None) -> tuple[Dataset | None, int]:
    """Read a UTF-8 file with one text a line; blank lines are no texts, and are counted in the notes.

    A line ends in a line feed, or a carriage return and a line feed; nothing else of it is taken away.

    Returns
    -------
    Dataset or None
        Texts ``start`` to ``stop``; None where the file has none of these.
    int
        How many texts the file holds.

    Raises
    ------
    InvalidInput
        If there is no such file, it is not UTF-8, holds no text, or the texts would not fit into memory.
    """
    keeper, blank = TextKeeper(str(path), start, stop), 0
    for line in utf8_lines(path):
        text = line.removesuffix("\n").removesuffix("\r")
        if text.strip():
            keeper.add(text)
        else:
            blank += 1
    keeper.check()
    if not keeper.count:
        raise InvalidInput(f"{path} holds no text ({blank} blank lines); one text a line is needed.")
    notes = {_BLANK: blank} if blank else {}
    data = Dataset(str(path), Texts(keeper.texts), None, (), notes=notes) if keeper.texts else None
    return data, keeper.count


def read_table(
    path: Path, start: int = 0, stop: int | None = None, classes: tuple[str, ...] = ()
) -> tuple[Dataset | None, int]:
    """Read a UTF-8 CSV file with a header: a column ``text`` and, if labels are known, a column ``label``.

    Labels are whole numbers from 0, or names, none of them a number, which are numbered in the order of their bytes. An
    empty text is a text. Other columns are not looked at.

    Parameters
    ----------
    path : Path
    start, stop : int
        Which rows to keep.
    classes : tuple of str
        Names of the classes where these are known; names in the file must be among them.

    Returns
    -------
    Dataset or None
        Rows ``start`` to ``stop``; None where the file has none of these.
    int
        How many rows the file holds.

    Raises
    ------
    InvalidInput
        If there is no such file, it is not UTF-8 or no such table, holds no row, or the texts would not fit into
        memory.
    """
    keeper, labels = TextKeeper(str(path), start, stop), []
    with _long_fields():
        rows = _rows(path)
        columns = _columns(path, rows)
        for line, row in rows:
            if len(row) != columns.width:
                raise InvalidInput(
                    f"{path}, line {line}: the row has {len(row)} columns and the header {columns.width}; put texts "
                    'that hold a comma, a line break or a quote into quotes, and write each quote inside as "".'
                )
            keeper.add(row[columns.text])
            if columns.label is not None:
                labels.append(sys.intern(row[columns.label].strip()))
                if not labels[-1]:
                    raise InvalidInput(
                        f"{path}, line {line}: the label is empty; each row needs one. Leave the column out where "
                        "labels are not known."
                    )
    keeper.check()
    if not keeper.count:
        raise InvalidInput(f"{path} holds no row below its header; one text a row is needed.")
    numbers, names, named = _numbered(path, labels, classes) if labels else (None, (), True)
    kept = None if numbers is None else np.array(numbers[start:stop], dtype=np.int64)
    data = Dataset(str(path), Texts(keeper.texts), kept, names, named=named) if keeper.texts else None
    return data, keeper.count


def utf8_lines(path: Path) -> Iterator[str]:
    r"""Give the lines of a UTF-8 file with their ends, split at ``\n`` alone; a byte order mark is dropped.

    Raises
    ------
    InvalidInput
        If there is no such file or it is not UTF-8; the text names line and byte.
    """
    if not os.path.isfile(path):  # pathlib's own raises on names that no file can have
        raise InvalidInput(
            f"there is no file {path}; give the path of a .txt or .csv file; a relative one starts at {Path.cwd()}."
        )
    limit = memory_limit()
    try:
        with open(path, "rb") as file:
            for number, line in enumerate(iter(lambda: file.readline(limit + 1), b""), start=1):
                if len(line) > limit:
                    require_memory_for_texts(len(line), f"{path}, line {number},")
                yield _decoded(path, line.removeprefix(_BOM) if number == 1 else line, number)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read ({error.strerror}); make it readable or name another.") from error


def _decoded(path: Path, line: bytes, number: int) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        source = "UTF-16" if number == 1 and line.startswith((b"\xff\xfe", b"\xfe\xff")) else "LATIN1"
        raise InvalidInput(
            f"{path}, line {number}: byte {error.start + 1} of the line (0x{line[error.start]:02x}) is not UTF-8; "
            f"convert the file from the encoding it was written in, such as: iconv -f {source} -t UTF-8 {path.name} > "
            f"utf8{path.suffix}"
        ) from None


@contextmanager
def _long_fields() -> Iterator[None]:
    """Let the csv module take fields of any length, and restore its limit."""
    before = csv.field_size_limit(sys.maxsize)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Give each row of a table that is not blank, with the line that it ends in."""
    reader = csv.reader(utf8_lines(path), strict=True)
    try:
        for row in reader:
            if row:
                yield reader.line_num, row
    except csv.Error as error:
        raise InvalidInput(
            f"{path}, line {reader.line_num}: it is not a table of comma-separated values ({error}); write it with the "
            "csv module of Python or a spreadsheet."
        ) from None


@dataclass(frozen=True)
class _Columns:
    width: int
    text: int
    label: int | None


def _columns(path: Path, rows: Iterable[tuple[int, list[str]]]) -> _Columns:
    _, header = next(iter(rows), (0, []))
    names = [name.strip().lower() for name in header]
    if names.count("text") != 1 or names.count("label") > 1:
        shown = ", ".join(repr(name) for name in header[:5]) + (", …" if len(header) > 5 else "")
        raise InvalidInput(
            f"{path} begins with {shown or 'nothing'}; a header is needed with one column 'text' and, if labels are "
            "known, one column 'label'."
        )
    return _Columns(len(names), names.index("text"), names.index("label") if "label" in names else None)


def _numbered(path: Path, labels: list[str], classes: tuple[str, ...]) -> tuple[list[int], tuple[str, ...], bool]:
    """Return the labels as numbers, the names of the classes, and whether these are more than numbers."""
    different = set(labels)
    if all(label.isascii() and label.isdigit() and len(label) < 10 for label in different):
        numbers = {label: int(label) for label in different}
        most = max(numbers.values())
        if most >= (len(classes) or _MOST_CLASSES):
            raise InvalidInput(
                f"{path} has the label {most}; number the classes from 0, below {len(classes) or _MOST_CLASSES}."
            )
        names = classes or tuple(str(number) for number in range(most + 1))
        return [numbers[label] for label in labels], names, bool(classes)
    odd = next((label for label in sorted(different) if _NUMBER.fullmatch(label) and label not in classes), None)
    if odd is not None:
        raise InvalidInput(
            f"{path} has the label {odd!r} among others that are not whole numbers from 0; number the classes from 0 "
            "without signs and points, or name each by a word."
        )
    if len(different) > _MOST_CLASSES:
        raise InvalidInput(f"{path} has {len(different)} different labels; at most {_MOST_CLASSES} are allowed.")
    names = classes or tuple(sorted(different, key=str.encode))
    unknown = sorted(different - set(names))
    if unknown:
        raise InvalidInput(f"{path} has the label {unknown[0]!r}; {', '.join(names)} are the classes of this set.")
    place = {name: number for number, name in enumerate(names)}
    return [place[label] for label in labels], names, True
