"""An audit: a grid of cells against one target, its records, its resume and its summary."""

from copycost.audit._compare import Comparison, compare
from copycost.audit._config import read_config
from copycost.audit._cost import Cost, fewest_needed, headline_level
from copycost.audit._export import export
from copycost.audit._plan import Plan, make_plan
from copycost.audit._records import Folder
from copycost.audit._run import run_audit
from copycost.audit._scenario import load_data
from copycost.audit._spec import AuditSpec, CellSpec, build_spec, embedded_default
from copycost.audit._summary import AuditResult, read_audit

__all__ = [
    "AuditResult",
    "AuditSpec",
    "CellSpec",
    "Comparison",
    "Cost",
    "Folder",
    "Plan",
    "build_spec",
    "compare",
    "embedded_default",
    "export",
    "fewest_needed",
    "headline_level",
    "load_data",
    "make_plan",
    "read_audit",
    "read_config",
    "run_audit",
]
