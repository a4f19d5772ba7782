"""Workflow commands of GitHub Actions: findings as annotations, with nothing of a policy that could be a command.

A runner takes a line that starts with `::` for a command, and `##[` anywhere in a line. What a policy's author wrote
stands behind the second `::` of one line, with the escapes that the runner undoes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from scalegate.core.diagnostic import Diagnostic, Severity
from scalegate.lint.run import Report
from scalegate.policy.diagnose import visible

_COMMANDS: dict[Severity, str] = {"error": "error", "warning": "warning", "note": "notice"}


def github(reports: Iterable[Report]) -> Iterator[str]:
    """Yield one command for each finding that no comment silences."""
    for report in reports:
        for item in report.judged:
            if not item.suppressed:
                yield _command(item.diagnostic, report.file)


def _command(found: Diagnostic, file: str) -> str:
    fields = {"file": file}
    if found.span is not None:
        fields["line"] = str(found.span.line)
        fields["endLine"] = str(found.span.end_line)
        if found.span.line == found.span.end_line:  # the runner takes columns of one line only
            fields["col"] = str(found.span.column)
            fields["endColumn"] = str(found.span.end_column)
    fields["title"] = found.code
    shown = ",".join(f"{name}={_property(value)}" for name, value in fields.items())
    parts = (found.message, found.cause, found.help)
    return f"::{_COMMANDS[found.severity]} {shown}::{_data('; '.join(part for part in parts if part))}"


def _data(text: str) -> str:
    """Return text as the data of a command: percent, line ends and the older mark of commands escaped."""
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return visible(escaped).replace("##[", r"#\#[")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
