"""One cell: choose, ask, train, round by round, then measure. A pure function of its spec and what it copies."""

from copycost.extraction._cell import run_cell
from copycost.extraction._contract import Cell, Extraction, Scenario
from copycost.extraction._inside import check_looks, pool_probabilities, refuse_looks
from copycost.extraction._measure import measure_robustness, top5_accuracy
from copycost.extraction._shares import Shares, Sizes, start_rows, validation_rows

__all__ = [
    "Cell",
    "Extraction",
    "Scenario",
    "Shares",
    "Sizes",
    "check_looks",
    "measure_robustness",
    "pool_probabilities",
    "refuse_looks",
    "run_cell",
    "start_rows",
    "top5_accuracy",
    "validation_rows",
]
