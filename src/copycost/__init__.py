"""Measure how many queries it takes to copy a classifier that is reachable only through its predictions."""

from copycost._version import __version__
from copycost.inputs import Images, Inputs

__all__ = ["Images", "Inputs", "__version__"]
