"""`scalegate policy check`."""

from __future__ import annotations

from pathlib import Path

import click

from scalegate.app.policies import findings
from scalegate.cli import exits
from scalegate.cli.options import examples, format_option
from scalegate.cli.output import Output
from scalegate.cli.text import safe
from scalegate.core.diagnostic import Diagnostic
from scalegate.policy.diagnose import render


@click.command(
    "check",
    epilog=examples("scalegate policy check acme.yaml", "scalegate policy check acme.yaml --format json"),
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--strict", is_flag=True, help="Let warnings count: exit code 1.")
@format_option
def check_file(file: Path, *, strict: bool, output: Output) -> int:
    """Check a policy file: 0 it is one, 2 it is none.

    Warnings name what a reader would take for a promise and the gate will not: they change nothing
    unless --strict is given.
    """
    found = findings(file)
    errors = sum(item.severity == "error" for item in found)
    if output.form == "json":
        output.json({"file": str(file), "findings": [_record(item) for item in found]})
    elif output.form == "plain":
        output.lines(_line(item) for item in found)
    else:
        output.lines(render(item) for item in found)
    if not found:
        output.hint("nothing to say; `scalegate policy show` reads the policy back in English")
    if errors:
        return exits.USAGE
    return exits.NO if strict and found else exits.YES


def _line(item: Diagnostic) -> str:
    where = f"{item.span}: " if item.span else ""
    tail = "".join(f"; {part}" for part in (item.cause, item.help) if part)
    return safe(f"{where}{item.severity} {item.code}: {item.message}{tail}")


def _record(item: Diagnostic) -> dict[str, object]:
    span = item.span
    return {
        "code": item.code,
        "severity": item.severity,
        "message": item.message,
        "cause": item.cause,
        "help": item.help,
        "span": None
        if span is None
        else {
            "line": span.line,
            "column": span.column,
            "end_line": span.end_line,
            "end_column": span.end_column,
        },
    }
