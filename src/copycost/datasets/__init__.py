"""Named data: the embedded default, the public sets, files of images or texts, and folders of images."""

from copycost.datasets._classes import align_classes
from copycost.datasets._dataset import Dataset, images_of, texts_of
from copycost.datasets._images import resize
from copycost.datasets._load import data_folder, load, medium_named
from copycost.datasets._overlap import find_overlap
from copycost.datasets._registry import SOURCES, Source
from copycost.datasets._splits import largest_remainder, stratified_split
from copycost.datasets._tracks import split_by_track, tracks_of
from copycost.datasets._transform import Transform

__all__ = [
    "SOURCES",
    "Dataset",
    "Source",
    "Transform",
    "align_classes",
    "data_folder",
    "find_overlap",
    "images_of",
    "largest_remainder",
    "load",
    "medium_named",
    "resize",
    "split_by_track",
    "stratified_split",
    "texts_of",
    "tracks_of",
]
