"""One cell: choose, ask, train, round by round, then measure. A pure function of its spec and what it copies."""

from copycost.extraction._cell import Cell, Extraction, Scenario, run_cell
from copycost.extraction._measure import measure_robustness, top5_accuracy
from copycost.extraction._shares import Shares, Sizes

__all__ = ["Cell", "Extraction", "Scenario", "Shares", "Sizes", "measure_robustness", "run_cell", "top5_accuracy"]
