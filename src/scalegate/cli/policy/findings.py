"""Findings about a policy text on one line each, and their places as plain data."""

from __future__ import annotations

from scalegate.core.diagnostic import Diagnostic, Span


def finding_line(found: Diagnostic) -> str:
    """Return a finding on one line, as it is; what a terminal shows of it has to be made safe."""
    where = f"{found.span}: " if found.span else ""
    tail = "".join(f"; {part}" for part in (found.cause, found.help) if part)
    return f"{where}{found.severity} {found.code}: {found.message}{tail}"


def span_record(span: Span | None) -> dict[str, int] | None:
    """Return the place of a finding as plain data."""
    if span is None:
        return None
    return {"line": span.line, "column": span.column, "end_line": span.end_line, "end_column": span.end_column}
