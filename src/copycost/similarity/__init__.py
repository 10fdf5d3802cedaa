"""Pairwise measures on plain arrays, and the one contract through which solvers read them."""

from copycost.similarity._chunked import Chunked
from copycost.similarity._contract import Dense, Similarity
from copycost.similarity._hamming import Hamming
from copycost.similarity._levels import luminance, to_levels
from copycost.similarity._mutual_information import mutual_information, mutual_information_block
from copycost.similarity._on_demand import OnDemand

__all__ = [
    "Chunked",
    "Dense",
    "Hamming",
    "OnDemand",
    "Similarity",
    "luminance",
    "mutual_information",
    "mutual_information_block",
    "to_levels",
]
