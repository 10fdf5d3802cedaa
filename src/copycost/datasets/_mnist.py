"""MNIST and Fashion-MNIST: two data sets in one file format, IDX."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import numpy as np

from copycost._types import ByteArray
from copycost.datasets._dataset import Dataset
from copycost.datasets._fetch import ensure, optional
from copycost.errors import InvalidInput
from copycost.inputs import Images

DIGITS = tuple(str(digit) for digit in range(10))
CLOTHES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
DEBIAN_FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")
_PREFIX = {"train": "train", "test": "t10k"}


def read_mnist(split: str, data_dir: Path, download: bool) -> Dataset:
    """Read MNIST from ``MNIST/raw``, where torchvision keeps it, unpacked or not."""
    images, labels = _pair("MNIST", split, data_dir, download)
    return Dataset(f"mnist:{split}", Images(images), labels.astype(np.int64), DIGITS)


def read_fashion_mnist(split: str, data_dir: Path, download: bool) -> Dataset:
    """Read Fashion-MNIST from ``FashionMNIST/raw`` or from Debian's package dataset-fashion-mnist."""
    images, labels = _pair("FashionMNIST", split, data_dir, download, (DEBIAN_FASHION_MNIST,))
    return Dataset(f"fashion-mnist:{split}", Images(images), labels.astype(np.int64), CLOTHES)


def _pair(
    name: str, split: str, data_dir: Path, download: bool, elsewhere: tuple[Path, ...] = ()
) -> tuple[ByteArray, ByteArray]:
    """Return images (n, height, width) and labels (n,) of a set that torchvision knows as ``name``."""
    stems = [f"{_PREFIX[split]}-images-idx3-ubyte", f"{_PREFIX[split]}-labels-idx1-ubyte"]
    home = data_dir / name / "raw"
    found = _find(stems, (home, *elsewhere))
    if found is None:
        ensure(
            name,
            [_present(home, stem) or home / f"{stem}.gz" for stem in stems],
            data_dir,
            origin=_origin(name),
            download=download,
            fetch=lambda root: getattr(optional("torchvision.datasets"), name)(root, download=True),
        )
        found = [_present(home, stem) or home / stem for stem in stems]
    images, labels = read_idx(found[0], axes=3), read_idx(found[1], axes=1)
    if len(images) != len(labels):
        raise InvalidInput(
            f"{found[0]} has {len(images)} images and {found[1].name} has {len(labels)} labels; they do "
            "not belong together: delete both and load the set again."
        )
    return images, labels


def _origin(name: str) -> str:
    if name == "FashionMNIST":
        return "https://github.com/zalandoresearch/fashion-mnist or Debian's package dataset-fashion-mnist"
    return "https://ossci-datasets.s3.amazonaws.com/mnist/"


def _find(stems: list[str], folders: tuple[Path, ...]) -> list[Path] | None:
    for folder in folders:
        paths = [path for stem in stems if (path := _present(folder, stem)) is not None]
        if len(paths) == len(stems):
            return paths
    return None


def _present(folder: Path, stem: str) -> Path | None:
    """Return the unpacked file or the archive, which is read as it is: the folder may be read-only."""
    return next((path for path in (folder / stem, folder / f"{stem}.gz") if path.is_file()), None)


def read_idx(path: Path, axes: int) -> ByteArray:
    """Read an IDX file of unsigned bytes, packed with gzip or not, with the given number of axes.

    Raises
    ------
    InvalidInput
        If the file is damaged, cut short, or holds something else.
    """
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidInput(f"{path} cannot be read ({error}); delete it and load the set again.") from error
    head = 4 + 4 * axes
    if content[:4] != bytes([0, 0, 8, axes]) or len(content) < head:
        raise InvalidInput(f"{path} is not an IDX file of bytes with {axes} axes; delete it and load the set again.")
    shape = tuple(np.frombuffer(content, ">u4", count=axes, offset=4).tolist())
    if len(content) - head != int(np.prod(shape, dtype=np.int64)):
        raise InvalidInput(
            f"{path} has {len(content) - head} bytes after its header, which promises the shape {shape}; "
            "delete it and load the set again."
        )
    return np.frombuffer(content, np.uint8, offset=head).reshape(shape)
