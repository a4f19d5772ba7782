"""`scalegate policy check`."""

from __future__ import annotations

from pathlib import Path

import click

from scalegate.app.comparing import examined
from scalegate.app.policies import findings, parse, read_policy
from scalegate.cli import exits
from scalegate.cli.options import examples, format_option
from scalegate.cli.output import Output
from scalegate.cli.policy.deep_text import deep_lines, deep_plain
from scalegate.cli.policy.findings import finding_line, span_record
from scalegate.cli.text import safe
from scalegate.core.diagnostic import Diagnostic
from scalegate.policy.diagnose import render
from scalegate.prove.deep import Deep


@click.command(
    "check",
    epilog=examples("scalegate policy check acme.yaml", "scalegate policy check acme.yaml --format json"),
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--strict", is_flag=True, help="Let warnings count: exit code 1.")
@click.option("--deep", is_flag=True, help="Prove what no single line shows, and what could ever lift each hold.")
@format_option
def check_file(file: Path, *, strict: bool, deep: bool, output: Output) -> int:
    """Check a policy file: 0 it is one, 2 it is none.

    Warnings name what a reader would take for a promise and the gate will not: they change nothing
    unless --strict is given.

    With --deep a solver looks for commitments that never or always hold, releases that cannot be reached, commitments
    that others make superfluous, and weights that may be released where no API may be served: 1 if there is any, 3 if
    it cannot tell. It says of each hold whether it is a pause, a stop or open, and whether the developer alone could
    lift it.
    """
    found = findings(file)
    errors = sum(item.severity == "error" for item in found)
    proved = examined(parse(read_policy(file), str(file))) if deep and not errors else None
    if output.form == "json":
        more = {} if proved is None else {"deep": deep_plain(proved)}
        output.json({"file": str(file), "findings": [_record(item) for item in found], **more})
    elif output.form == "plain":
        output.lines(safe(finding_line(item)) for item in found)
    else:
        output.lines(render(item) for item in found)
    if proved is not None and output.form != "json":
        output.lines(deep_lines(proved))
    if not found and not deep:
        output.hint("nothing to say; `scalegate policy show` reads the policy back in English")
    if errors:
        return exits.USAGE
    if proved is not None and any(item.flaw != "undecided" for item in proved.defects):
        return exits.NO
    if strict and found:
        return exits.NO
    return exits.UNKNOWN if proved is not None and (proved.defects or _open(proved)) else exits.YES


def _open(proved: Deep) -> bool:
    """Whether it stayed open what lifts some hold, or whether the developer alone could."""
    lifts = [lift for item in proved.verdicts for lift in (item.before, item.crossed)]
    return "undecided" in lifts or any(way.alone is None for item in proved.verdicts for way in item.ways)


def _record(item: Diagnostic) -> dict[str, object]:
    return {
        "code": item.code,
        "severity": item.severity,
        "message": item.message,
        "cause": item.cause,
        "help": item.help,
        "span": span_record(item.span),
    }
