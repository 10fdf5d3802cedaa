"""ImageNet in its own layout: a folder a class, photographs of many sizes."""

from __future__ import annotations

from pathlib import Path

from copycost.datasets._fetch import require
from copycost.datasets._listing import Listing, list_folder
from copycost.errors import InvalidInput

FOLDER = "imagenet"
_LAYOUT = (
    "get ILSVRC 2012 from https://image-net.org and unpack it into one folder a class, such as "
    "imagenet/train/n01440764 and imagenet/val/n01440764 (val comes without these folders: sort it by its labels)"
)


def list_imagenet(split: str, data_dir: Path, download: bool) -> Listing:
    """List the files of ``imagenet/train`` or ``imagenet/val``; class folders are numbered in the order of their names.

    Raises
    ------
    InvalidInput
        If the folder holds no class folders, or as of `list_folder`.
    MissingData
        If it is not there.
    """
    root = data_dir / FOLDER / split
    require("ImageNet", [root], layout=_LAYOUT)
    listing = list_folder(root)
    if not listing.classes:
        raise InvalidInput(
            f"{root} holds {len(listing)} files and no class folders, so that no image has a label; sort them into one "
            "folder a class, named as those of the other part."
        )
    return listing
