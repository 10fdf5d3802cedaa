"""Solvers on a similarity: the lightest k-subset."""

from copycost.subsets._lightest import lightest_subset, replacement
from copycost.subsets._subset import Subset, Trace

__all__ = ["Subset", "Trace", "lightest_subset", "replacement"]
