"""Tiny ImageNet at half its size, as a pool of natural images."""

from __future__ import annotations

from pathlib import Path

from copycost.datasets._fetch import ensure, optional
from copycost.datasets._listing import Listing
from copycost.datasets._transform import Transform
from copycost.errors import InvalidInput

FOLDER = "tiny-imagenet-200"
ORIGIN = "http://cs231n.stanford.edu/tiny-imagenet-200.zip"
MD5 = "90528d7ca1a48142e341f4ef8d21d0de"
HALVED = Transform(size=(32, 32), resample="area", colour="colour")


def list_tinyimagenet(split: str, data_dir: Path, download: bool) -> Listing:
    """List the training part of ``tiny-imagenet-200``: 100,000 images of 64 x 64 pixels, 200 classes by WordNet id."""
    root = data_dir / FOLDER / "train"
    ensure("Tiny ImageNet", [root], data_dir, origin=ORIGIN, download=download, fetch=_fetch)
    folders = sorted(path.name for path in root.iterdir() if path.is_dir())
    files = tuple(
        f"{folder}/images/{path.name}"
        for folder in folders
        for path in sorted((root / folder / "images").glob("*.JPEG"))
    )
    if not files:
        raise InvalidInput(
            f"{root} holds no image of the form n01443537/images/n01443537_0.JPEG; delete it and load the set again."
        )
    return Listing(root, files, tuple(folders))


def _fetch(root: Path) -> None:
    optional("torchvision.datasets.utils").download_and_extract_archive(ORIGIN, root, md5=MD5, remove_finished=True)
