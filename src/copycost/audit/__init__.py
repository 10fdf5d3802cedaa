"""An audit: a grid of cells against one target, its records, its resume and its summary."""

from copycost.audit._plan import Plan, make_plan
from copycost.audit._records import Folder
from copycost.audit._run import run_audit
from copycost.audit._spec import AuditSpec, CellSpec, build_spec, embedded_default, read_config
from copycost.audit._summary import AuditResult, read_audit

__all__ = [
    "AuditResult",
    "AuditSpec",
    "CellSpec",
    "Folder",
    "Plan",
    "build_spec",
    "embedded_default",
    "make_plan",
    "read_audit",
    "read_config",
    "run_audit",
]
