"""Word vectors from files: GloVe's text format, or arrays; no pickles."""

from __future__ import annotations

import re
import zipfile
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from copycost._types import Float32Array
from copycost.datasets._load import data_folder
from copycost.errors import InvalidInput, MissingData

__all__ = ["Vectors", "load_vectors"]

_NAME = re.compile(r"glove:(50|100|200|300)d")


@dataclass(frozen=True)
class Vectors:
    """Word vectors.

    Attributes
    ----------
    words : tuple of str (n)
    array : float32 array (n, dimensions)
    """

    words: tuple[str, ...]
    array: Float32Array

    def __post_init__(self) -> None:
        if self.array.ndim != 2 or len(self.array) != len(self.words) or not self.array.size:
            raise InvalidInput(
                f"{len(self.words)} words have vectors of shape {self.array.shape}; one vector a word is needed, and "
                "at least one word."
            )
        if not np.isfinite(self.array).all():
            raise InvalidInput("word vectors hold NaN or infinite values; finite numbers are needed.")

    def __len__(self) -> int:
        """Return the number of words."""
        return len(self.words)

    @cached_property
    def rows(self) -> dict[str, int]:
        """The row of each word; of a word that occurs twice, the first."""
        return {word: row for row, word in reversed(list(enumerate(self.words)))}


def load_vectors(text: str, data_dir: Path | None = None) -> Vectors:
    """Load word vectors.

    Parameters
    ----------
    text : the path of a text file with a word and its numbers a line (GloVe's format, or word2vec's with its first
        line of two counts), or of an ``.npz`` with ``words`` (UTF-8 bytes joined by newlines, uint8) and ``vec``
        (n, dimensions; float16 or float32); or ``glove:50d``, ``glove:100d``, ``glove:200d``, ``glove:300d``
    data_dir : where ``glove:50d`` looks for ``glove.6B.50d.txt`` or ``glove.6B.50d.top50k.f16.npz``; by default the
        folder that COPYCOST_DATA names, else ``~/.cache/copycost``

    Raises
    ------
    InvalidInput
        If the file is not there or not of such a format.
    MissingData
        If ``glove:50d`` is not in the data folder; the text says where to get it.
    """
    path = _named(text, data_dir) if text.startswith("glove:") else Path(text).expanduser()
    if not path.is_file():
        raise InvalidInput(f"there is no file of word vectors {path}; give its path, or glove:50d.")
    try:
        return _arrays(path) if path.suffix == ".npz" else _lines(path)
    except OSError as error:
        raise InvalidInput(f"the word vectors in {path} cannot be read ({error}).") from None


def _named(text: str, data_dir: Path | None) -> Path:
    match = _NAME.fullmatch(text)
    if match is None:
        raise InvalidInput(
            f"the word vectors are {text!r}; known are glove:50d, glove:100d, glove:200d and glove:300d."
        )
    folder = data_folder(data_dir)
    names = [f"glove.6B.{match[1]}d.{kind}" for kind in ("txt", "top50k.f16.npz")]
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise MissingData(
        f"the word vectors {text} are not in {folder}: neither {names[0]} nor {names[1]} is there. Get glove.6B.zip "
        f"from https://nlp.stanford.edu/projects/glove/ and put {names[0]} there, or name the folder that has it with "
        "--data-dir or COPYCOST_DATA."
    )


def _arrays(path: Path) -> Vectors:
    try:
        with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as file:
            words, vectors = file["words"], file["vec"]
        if words.dtype != np.uint8 or words.ndim != 1:
            raise ValueError(f"words has dtype {words.dtype} and shape {words.shape}")
        if vectors.dtype not in (np.float16, np.float32):
            raise ValueError(f"vec has dtype {vectors.dtype}")
        names = tuple(words.tobytes().decode().split("\n"))
    except (ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise InvalidInput(
            f"{path} does not hold word vectors ({error}); words (UTF-8 bytes joined by newlines, uint8) and vec "
            "(float16 or float32) are needed, and pickles are not read."
        ) from None
    return Vectors(names, vectors.astype(np.float32))


def _lines(path: Path) -> Vectors:
    words: list[str] = []
    rows: list[Float32Array] = []
    with open(path, encoding="utf-8", newline="\n") as file:
        try:
            for number, line in enumerate(file, 1):
                parts = line.rstrip().split(" ")
                if number == 1 and len(parts) == 2 and all(part.isdecimal() for part in parts):
                    continue  # word2vec's count of words and dimensions
                size = rows[0].size if rows else len(parts) - 1
                words.append(" ".join(parts[: len(parts) - size]))
                rows.append(np.array(parts[len(parts) - size :], np.float32))
                if not (size and words[-1] and rows[-1].size == size):
                    raise ValueError(f"line {number} has {len(parts) - 1} numbers")
        except ValueError as error:
            raise InvalidInput(
                f"{path} does not hold word vectors ({error}); a word and then its numbers, as many on every line, are "
                "needed."
            ) from None
    return Vectors(tuple(words), np.stack(rows) if rows else np.zeros((0, 0), np.float32))
