"""One self-contained HTML page from the records of an audit."""

from copycost.audit import AuditResult


def render(result: AuditResult) -> str:
    return "<html></html>"
