"""Texts as numbers: which words a text model knows, and where a text is cut."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
import numpy.typing as npt

from copycost.inputs import Texts
from copycost.networks._kim import PADDING, SHORTEST

__all__ = ["SPECIAL", "Int32Array", "Vocabulary", "tokens"]

SPECIAL = 2  # padding and unknown stand before the words
_UNKNOWN = 1

Int32Array = npt.NDArray[np.int32]

# a word, but "n't" and an apostrophe's ending apart from it as in GloVe's vocabulary; any other sign alone
_TOKEN = re.compile(r"\w+(?=n't\b)|n't\b|'(?:s|m|d|re|ve|ll)\b|\w+|[^\w\s]")


def tokens(text: str, most: int) -> list[str]:
    """Return the first ``most`` words and punctuation marks of a text, in lower case.

    Examples
    --------
    >>> tokens("It doesn't try; it's Good!", 99)
    ['it', 'does', "n't", 'try', ';', 'it', "'s", 'good', '!']
    """
    return [match[0] for match in islice(_TOKEN.finditer(text.lower()), most)]


@dataclass(frozen=True)
class Vocabulary:
    """The words that a text model knows; word ``i`` of ``words`` is number ``i + 2``, 0 is padding and 1 unknown.

    Attributes
    ----------
    words : tuple of str
    length : int
        Words after which a text is cut.
    """

    words: tuple[str, ...]
    length: int
    _numbers: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_numbers", {word: row for row, word in enumerate(self.words, SPECIAL)})

    @classmethod
    def of(cls, corpus: Texts, *, most: int, length: int, vectors: Container[str] = ()) -> Vocabulary:
        """Return the most frequent words of a corpus, those that have a vector before all others.

        Parameters
        ----------
        corpus : n texts, of which the first ``length`` words count
        most : how many words to keep
        length : words after which a text is cut
        vectors : words that have a vector

        Examples
        --------
        >>> Vocabulary.of(Texts(["b a c", "c d"]), most=3, length=9, vectors={"d"}).words
        ('d', 'c', 'a')
        """
        counts = Counter(word for text in corpus.texts for word in tokens(text, length))
        ranked = sorted(counts, key=lambda word: (word not in vectors, -counts[word], word))
        return cls(tuple(ranked[:most]), length)

    def encode(self, texts: Texts) -> Int32Array:
        """Return word numbers (n, columns), padded with 0 behind; as many columns as the longest needs, 5 at least."""
        number = self._numbers.get
        rows = [[number(word, _UNKNOWN) for word in tokens(text, self.length)] for text in texts.texts]
        encoded = np.full((len(rows), max([SHORTEST, *map(len, rows)])), PADDING, np.int32)
        for row, numbers in enumerate(rows):
            encoded[row, : len(numbers)] = numbers
        return encoded
