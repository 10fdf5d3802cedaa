"""Strategies: each chooses the next queries from what is known so far.

One small file and one registry line each.
"""

from copycost.strategies._base import Knowledge, Queries, Strategy
from copycost.strategies._combination import Combination
from copycost.strategies._memo import Memo
from copycost.strategies._registry import STRATEGIES, parse

__all__ = ["STRATEGIES", "Combination", "Knowledge", "Memo", "Queries", "Strategy", "parse"]
