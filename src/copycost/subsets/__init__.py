"""Solvers: the lightest k-subset and coverage on a similarity, k centres on vectors."""

from copycost.subsets._coverage import Coverage, coverage
from copycost.subsets._k_center import Centres, k_center
from copycost.subsets._lightest import lightest_subset, replacement
from copycost.subsets._normalised import normalised
from copycost.subsets._subset import Subset, Trace

__all__ = [
    "Centres",
    "Coverage",
    "Subset",
    "Trace",
    "coverage",
    "k_center",
    "lightest_subset",
    "normalised",
    "replacement",
]
