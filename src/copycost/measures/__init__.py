"""Measures of a copy: pure functions on NumPy arrays, which know nothing of models."""

from copycost.measures._intervals import (
    Interval,
    difference_supported,
    paired_interval,
    student_interval,
    unpaired_interval,
)
from copycost.measures._needed import QueriesNeeded, queries_needed
from copycost.measures._rates import (
    accuracy,
    agreement,
    confusion,
    cross_entropy,
    macro_f1,
    per_class_agreement,
    top_k_accuracy,
)
from copycost.measures._transfer import Rates, TransferRates, transfer_rates

__all__ = [
    "Interval",
    "QueriesNeeded",
    "Rates",
    "TransferRates",
    "accuracy",
    "agreement",
    "confusion",
    "cross_entropy",
    "difference_supported",
    "macro_f1",
    "paired_interval",
    "per_class_agreement",
    "queries_needed",
    "student_interval",
    "top_k_accuracy",
    "transfer_rates",
    "unpaired_interval",
]
