"""Named data: the embedded default, the public sets, and array files."""

from copycost.datasets._dataset import Dataset
from copycost.datasets._images import resize
from copycost.datasets._load import load
from copycost.datasets._overlap import find_overlap
from copycost.datasets._registry import SOURCES, Source
from copycost.datasets._splits import largest_remainder, stratified_split

__all__ = [
    "SOURCES",
    "Dataset",
    "Source",
    "find_overlap",
    "largest_remainder",
    "load",
    "resize",
    "stratified_split",
]
