"""The named data sets: a new one is one small file and one line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from copycost.datasets._cifar10 import read_cifar10
from copycost.datasets._dataset import Dataset
from copycost.datasets._embedded import read_embedded
from copycost.datasets._mnist import read_fashion_mnist, read_mnist
from copycost.datasets._usps import read_usps

_SPLITS = ("train", "test")


@dataclass(frozen=True)
class Source:
    """A named data set.

    Attributes
    ----------
    description : str
        One line for people.
    splits : tuple of str
        The names of its parts; empty if it has none.
    read : callable (split, data_dir, download) -> Dataset
        Returns one whole part. It reads below ``data_dir``, fetches what is missing only if ``download``, and
        raises `MissingData` where it cannot.
    """

    description: str
    splits: tuple[str, ...]
    read: Callable[[str, Path, bool], Dataset]


SOURCES: dict[str, Source] = {
    "cifar10": Source("CIFAR-10: 50,000 and 10,000 colour images, 32 x 32, 10 classes", _SPLITS, read_cifar10),
    "embedded": Source("5,000 MNIST images that come with an installed package, 500 a class", (), read_embedded),
    "fashion-mnist": Source("Fashion-MNIST: 60,000 and 10,000 grey images, 28 x 28", _SPLITS, read_fashion_mnist),
    "mnist": Source("MNIST: 60,000 and 10,000 grey digits, 28 x 28", _SPLITS, read_mnist),
    "usps": Source("USPS: 7,291 and 2,007 grey digits, 16 x 16", _SPLITS, read_usps),
}
