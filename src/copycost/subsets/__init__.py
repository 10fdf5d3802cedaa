"""Solvers on a similarity: the lightest k-subset, and coverage."""

from copycost.subsets._coverage import Coverage, coverage
from copycost.subsets._lightest import lightest_subset, replacement
from copycost.subsets._normalised import normalised
from copycost.subsets._subset import Subset, Trace

__all__ = ["Coverage", "Subset", "Trace", "coverage", "lightest_subset", "normalised", "replacement"]
