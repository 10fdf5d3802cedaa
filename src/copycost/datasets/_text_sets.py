"""Public sets for the classification of sentences and documents."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from copycost.datasets._dataset import Dataset
from copycost.datasets._fetch import ensure, optional
from copycost.datasets._memory import require_memory_for_texts
from copycost.datasets._splits import stratified_split
from copycost.datasets._text_files import utf8_lines
from copycost.errors import InvalidInput
from copycost.inputs import Texts

POLARITY = ("negative", "positive")
QUESTIONS = ("ABBR", "DESC", "ENTY", "HUM", "LOC", "NUM")
NEWS = ("World", "Sports", "Business", "Sci/Tech")

MR = "https://www.cs.cornell.edu/people/pabo/movie-review-data/rt-polaritydata.tar.gz"
MR_MD5 = "50c1c2c047b4225e148e97aa7708c34e"
_MR_SEED, _MR_TEST = 2005, 0.1

TREC = "https://cogcomp.seas.upenn.edu/Data/QA/QC/"
TREC_MD5 = {"train_5500.label": "073462e3fcefaae31e00edb1f18d2d02", "TREC_10.label": "323a3554401d86e650717e2d2f942589"}
_TREC_FILES = {"train": "train_5500.label", "test": "TREC_10.label"}

AGNEWS = "https://raw.githubusercontent.com/mhjabreel/CharCnn_Keras/master/data/ag_news_csv/"
AGNEWS_MD5 = {"train.csv": "b1a00f826fdfbd249f79597b59e1dc12", "test.csv": "d52ea96a97a2d943681189a97654912d"}

IMDB = "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz"
IMDB_MD5 = "7c2ac02c03563afcf9b574c7e56c153a"
_REVIEW = re.compile(r"([0-9]+)_[0-9]+\.txt")


def read_mr(split: str, data_dir: Path, download: bool) -> Dataset:
    """Read the sentence polarity set from ``rt-polaritydata``, in Latin-1, and divide it.

    It has no split of its own. The test part is a tenth, drawn in proportion to the classes by a generator of fixed
    seed: 1,066 of 10,662 sentences, as many as ActiveThief tests on. Both parts are in random order.
    """
    root = data_dir / "rt-polaritydata"
    paths = [root / "rt-polarity.neg", root / "rt-polarity.pos"]
    fetch = partial(_unpack, MR, MR_MD5)
    ensure("the sentence polarity set (mr)", paths, data_dir, origin=MR, download=download, fetch=fetch)
    sides = [[text for line in _latin1_lines(path) if (text := line.strip(" \r"))] for path in paths]
    texts, labels = _joined(sides)
    test = round(_MR_TEST * len(texts))
    parts = stratified_split(labels, [len(texts) - test, test], np.random.default_rng(_MR_SEED))
    rows = parts[0] if split == "train" else parts[1]
    return _dataset(f"mr:{split}", [texts[row] for row in rows], np.array(labels)[rows].tolist(), POLARITY)


def read_trec(split: str, data_dir: Path, download: bool) -> Dataset:
    """Read the questions of TREC from ``trec``, in Latin-1, with their six coarse classes."""
    path = data_dir / "trec" / _TREC_FILES[split]
    fetch = partial(_download, TREC, "trec", TREC_MD5)
    ensure("TREC (questions)", [path], data_dir, origin=TREC + path.name, download=download, fetch=fetch)
    texts, labels = [], []
    for number, line in enumerate(_latin1_lines(path), start=1):
        if not line.strip():
            continue
        name, _, text = line.partition(" ")
        coarse = name.partition(":")[0]
        if coarse not in QUESTIONS:
            raise InvalidInput(
                f"{path}, line {number}: it begins with {name[:20]!r}, and a class such as NUM:date is needed; delete "
                "the file and load the set again."
            )
        texts.append(text.strip(" \r"))
        labels.append(QUESTIONS.index(coarse))
    return _dataset(f"trec:{split}", texts, labels, QUESTIONS)


def read_agnews(split: str, data_dir: Path, download: bool) -> Dataset:
    """Read AG News from ``ag_news_csv``: rows of class (1 to 4), title and description, which are joined by `` . ``."""
    path = data_dir / "ag_news_csv" / f"{split}.csv"
    fetch = partial(_download, AGNEWS, "ag_news_csv", AGNEWS_MD5)
    ensure("AG News", [path], data_dir, origin=AGNEWS + path.name, download=download, fetch=fetch)
    texts, labels = [], []
    for row in _news_rows(path):
        if len(row) != 3 or row[0] not in ("1", "2", "3", "4"):
            raise InvalidInput(
                f"{path} has the row {row[:1]} of {len(row)} columns; a class from 1 to 4, a title and a description "
                "are needed: delete it and load the set again."
            )
        texts.append(f"{row[1]} . {row[2]}")
        labels.append(int(row[0]) - 1)
    return _dataset(f"agnews:{split}", texts, labels, NEWS)


def _news_rows(path: Path) -> Iterator[list[str]]:
    try:
        yield from csv.reader(utf8_lines(path))
    except csv.Error as error:
        raise InvalidInput(f"{path} cannot be read ({error}); delete it and load the set again.") from None


def read_imdb(split: str, data_dir: Path, download: bool) -> Dataset:
    """Read the reviews of IMDb from ``aclImdb``: negative ones first, each class in the order of its numbers."""
    folders = [data_dir / "aclImdb" / split / side for side in ("neg", "pos")]
    fetch = partial(_unpack, IMDB, IMDB_MD5)
    ensure("IMDb (reviews)", folders, data_dir, origin=IMDB, download=download, fetch=fetch)
    files = [_reviews(folder) for folder in folders]
    require_memory_for_texts(sum(path.stat().st_size for side in files for path in side), f"imdb:{split}")
    texts, labels = _joined([["".join(utf8_lines(path)) for path in side] for side in files])
    return _dataset(f"imdb:{split}", texts, labels, POLARITY)


def _reviews(folder: Path) -> list[Path]:
    found = [(int(match[1]), path) for path in folder.iterdir() if (match := _REVIEW.fullmatch(path.name))]
    if not found:
        raise InvalidInput(f"{folder} holds no review (0_9.txt, …); delete it and load the set again.")
    return [path for _, path in sorted(found)]


def _joined(sides: Sequence[list[str]]) -> tuple[list[str], list[int]]:
    texts = [text for side in sides for text in side]
    return texts, [label for label, side in enumerate(sides) for _ in side]


def _dataset(name: str, texts: list[str], labels: list[int], classes: tuple[str, ...]) -> Dataset:
    return Dataset(name, Texts(texts), np.array(labels, dtype=np.int64), classes)


def _latin1_lines(path: Path) -> Iterator[str]:
    require_memory_for_texts(path.stat().st_size, str(path))
    yield from path.read_bytes().decode("latin-1").split("\n")


def _unpack(url: str, md5: str, root: Path) -> None:
    optional("torchvision.datasets.utils").download_and_extract_archive(url, root, md5=md5, remove_finished=True)


def _download(address: str, folder: str, files: dict[str, str], root: Path) -> None:
    for name, md5 in files.items():
        optional("torchvision.datasets.utils").download_url(address + name, root / folder, name, md5)
