"""The named data sets: a new one is one small file and one line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from copycost.datasets._cifar10 import CLASSES as CIFAR10_CLASSES
from copycost.datasets._cifar10 import read_cifar10
from copycost.datasets._dataset import Dataset
from copycost.datasets._embedded import read_embedded
from copycost.datasets._gtsrb import CLASSES as GTSRB_CLASSES
from copycost.datasets._gtsrb import LARGEST_CLASSES, list_gtsrb, list_gtsrb10
from copycost.datasets._imagenet import list_imagenet
from copycost.datasets._listing import Listing
from copycost.datasets._mnist import CLOTHES, DIGITS, read_fashion_mnist, read_mnist
from copycost.datasets._running_text import read_brown, read_wikitext2
from copycost.datasets._text_sets import NEWS, POLARITY, QUESTIONS, read_agnews, read_imdb, read_mr, read_trec
from copycost.datasets._tinyimagenet import HALVED, list_tinyimagenet
from copycost.datasets._transform import Transform
from copycost.datasets._usps import read_usps, read_usps28

_SPLITS = ("train", "test")


@dataclass(frozen=True)
class Source:
    """A named data set. Whatever its own files are, ``<data>/<name>/<split>.npz`` (``.csv``, ``.txt``) goes first.

    Attributes
    ----------
    description : str
        One line for people.
    splits : tuple of str
        The names of its parts; empty if it has none.
    read : callable (split, data_dir, download) -> Dataset or Listing
        Returns one whole part, or the list of its image files where these have to be changed one by one. It reads
        below ``data_dir``, fetches what is missing only if ``download``, and raises `MissingData` where it cannot.
    classes : tuple of str
        Names of its classes, for a prepared file that only numbers them; empty where there are none.
    medium : str
        ``image`` or ``text``.
    transform : Transform or None
        How the images of a listing are changed in any case, before what the user asks for; None where they are not.
    """

    description: str
    splits: tuple[str, ...]
    read: Callable[[str, Path, bool], Dataset | Listing]
    classes: tuple[str, ...] = ()
    medium: str = "image"
    transform: Transform | None = None


SOURCES: dict[str, Source] = {
    "agnews": Source("AG News: 120,000 and 7,600 news in brief, 4 classes", _SPLITS, read_agnews, NEWS, "text"),
    "brown": Source("Brown corpus: 57,340 sentences of all kinds, a pool", ("train",), read_brown, medium="text"),
    "cifar10": Source(
        "CIFAR-10: 50,000 and 10,000 colour images, 32 x 32, 10 classes", _SPLITS, read_cifar10, CIFAR10_CLASSES
    ),
    "embedded": Source("5,000 MNIST images that come with an installed package, 500 a class", (), read_embedded),
    "fashion-mnist": Source(
        "Fashion-MNIST: 60,000 and 10,000 grey images, 28 x 28", _SPLITS, read_fashion_mnist, CLOTHES
    ),
    "gtsrb": Source("GTSRB: traffic signs of many sizes, 43 classes", _SPLITS, list_gtsrb, GTSRB_CLASSES),
    "gtsrb10": Source("GTSRB: its ten largest classes", _SPLITS, list_gtsrb10, LARGEST_CLASSES),
    "imagenet": Source(
        "ImageNet (ILSVRC 2012), or any set laid out so: photographs of many sizes", ("train", "val"), list_imagenet
    ),
    "imdb": Source("IMDb: 25,000 and 25,000 film reviews, 2 classes", _SPLITS, read_imdb, POLARITY, "text"),
    "mnist": Source("MNIST: 60,000 and 10,000 grey digits, 28 x 28", _SPLITS, read_mnist, DIGITS),
    "mr": Source("Sentence polarity: 9,596 and 1,066 sentences, 2 classes", _SPLITS, read_mr, POLARITY, "text"),
    "tinyimagenet32": Source(
        "Tiny ImageNet, training part, 64 -> 32 pixels, a pool", ("train",), list_tinyimagenet, transform=HALVED
    ),
    "trec": Source("TREC: 5,452 and 500 questions, 6 classes", _SPLITS, read_trec, QUESTIONS, "text"),
    "usps": Source("USPS: 7,291 and 2,007 grey digits, 16 x 16", _SPLITS, read_usps, DIGITS),
    "usps28": Source("USPS laid out as MNIST is: 20 x 20 in a border of 4", _SPLITS, read_usps28, DIGITS),
    "wikitext2": Source(
        "WikiText-2: sentences of Wikipedia, a pool", ("train", "valid", "test"), read_wikitext2, medium="text"
    ),
}
