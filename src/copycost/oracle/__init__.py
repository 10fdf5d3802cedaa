"""The only handle on a target: it answers queries, charges an account and writes the ledger."""

from copycost.oracle._answers import AnswerKind, Answers
from copycost.oracle._ledger import Counts, Ledger
from copycost.oracle._oracle import BudgetSpent, Oracle

__all__ = ["AnswerKind", "Answers", "BudgetSpent", "Counts", "Ledger", "Oracle"]
