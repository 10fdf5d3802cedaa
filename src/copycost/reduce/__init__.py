"""A smaller set of images that stands for a larger one; works without torch."""

from copycost.reduce._choice import Choice, Chooser, Nearest, Sampled, nearest_chosen
from copycost.reduce._command import run_command
from copycost.reduce._pool import Pool, load_pool
from copycost.reduce._request import Request
from copycost.reduce._run import reduce

__all__ = [
    "Choice",
    "Chooser",
    "Nearest",
    "Pool",
    "Request",
    "Sampled",
    "load_pool",
    "nearest_chosen",
    "reduce",
    "run_command",
]
