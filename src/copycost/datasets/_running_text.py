"""Running text as a pool of texts: one sentence a query."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from copycost.datasets._dataset import Dataset
from copycost.datasets._fetch import require
from copycost.datasets._text_files import TextKeeper, utf8_lines
from copycost.errors import InvalidInput
from copycost.inputs import Texts

WIKITEXT2 = "wikitext-2"
BROWN = "brown"
_BROWN_FILE = re.compile(r"c[a-r][0-9]{2}")
_JOINED = re.compile(r" @([-.,])@ ")
_ENDS = (".", "!", "?")
_CLOSING = (")", "]", "''")


def read_wikitext2(split: str, data_dir: Path, download: bool) -> Dataset:
    """Read the sentences of WikiText-2 from ``wikitext-2/wiki.<split>.tokens``, the layout of its archive."""
    path = data_dir / WIKITEXT2 / f"wiki.{split}.tokens"
    require(
        "WikiText-2 (wikitext-2-v1.zip, the tokens at the level of words)",
        [path],
        layout=f"it is unpacked to {WIKITEXT2}/wiki.train.tokens, wiki.valid.tokens and wiki.test.tokens; its first "
        "address, of Metamind, is gone, and mirrors have it",
    )
    return _dataset(f"wikitext2:{split}", wikitext_sentences(utf8_lines(path)))


def read_brown(split: str, data_dir: Path, download: bool) -> Dataset:
    """Read the sentences of the Brown corpus from ``brown/ca01`` to ``cr09``, the layout of NLTK's package."""
    root = data_dir / BROWN
    require(
        "the Brown corpus",
        [root / "ca01"],
        layout="it is the package 'brown' of NLTK (https://www.nltk.org/nltk_data/), unpacked to brown/ca01 … cr09",
    )
    files = sorted(path for path in root.iterdir() if _BROWN_FILE.fullmatch(path.name))
    return _dataset("brown:train", (text for path in files for text in brown_sentences(utf8_lines(path))))


def _dataset(name: str, sentences: Iterable[str]) -> Dataset:
    keeper = TextKeeper(name)
    for sentence in sentences:
        keeper.add(sentence)
    keeper.check()
    if not keeper.texts:
        raise InvalidInput(f"the files of {name} hold no sentence; get them again.")
    return Dataset(name, Texts(keeper.texts), None, ())


def wikitext_sentences(lines: Iterable[str]) -> Iterator[str]:
    """Give the sentences of WikiText's tokens, one after another.

    Headings (`` = Title = ``) are left out. Numbers and compounds that the corpus took apart are joined again
    (``1 @,@ 500`` is 1,500); ``<unk>``, which stands for a rare word, stays. A sentence ends at a full stop, question
    or exclamation mark that is a token of its own, and takes closing brackets and quotes after it along; so does a
    paragraph.

    Examples
    --------
    >>> list(wikitext_sentences([" = Lobster = ", " It weighs 0 @.@ 7 kg . Is it <unk> ?"]))
    ['It weighs 0.7 kg .', 'Is it <unk> ?']
    """
    for line in lines:
        words = _JOINED.sub(r"\1", line).split()
        if words and not (words[0] == words[-1] == "="):
            yield from _sentences(words)


def _sentences(words: list[str]) -> Iterator[str]:
    start, quotes, ended = 0, 0, False
    for place, word in enumerate(words):
        closing = word in _CLOSING or (word == '"' and quotes % 2 == 1)
        if ended and not closing and word not in _ENDS:
            yield " ".join(words[start:place])
            start, quotes, ended = place, 0, False
        quotes += word == '"'
        ended = ended or word in _ENDS
    if start < len(words):
        yield " ".join(words[start:])


def brown_sentences(lines: Iterable[str]) -> Iterator[str]:
    """Give the sentences of a file of the Brown corpus, one a line, without their tags of parts of speech.

    Examples
    --------
    >>> list(brown_sentences(["The/at jury/nn said/vbd 1/2/cd ./.", ""]))
    ['The jury said 1/2 .']
    """
    for line in lines:
        words = [token.rpartition("/")[0] or token for token in line.split()]
        if words:
            yield " ".join(words)
