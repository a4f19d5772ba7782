"""`scalegate policy lint`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import click

from scalegate import __version__
from scalegate.app.linting import choose, find_rule, lint_files
from scalegate.app.refusal import RefusalError
from scalegate.cli import exits
from scalegate.cli.options import examples
from scalegate.cli.output import Output
from scalegate.cli.policy.findings import finding_line, span_record
from scalegate.cli.text import safe, wrap
from scalegate.core.diagnostic import Diagnostic, Severity
from scalegate.core.quantities import show_count
from scalegate.lint.rule import Rule
from scalegate.lint.run import Judged, Report
from scalegate.lint.scorecard import Card, scorecard
from scalegate.policy.diagnose import render
from scalegate.report.github import github
from scalegate.report.junit import junit
from scalegate.report.sarif import sarif

Form = Literal["human", "plain", "json", "sarif", "junit", "github"]
_OF_PAGE = (("why", "why"), ("fix", "how to fix"))


@click.command(
    "lint",
    epilog=examples(
        "scalegate policy lint acme.yaml --strict",
        "scalegate policy lint new.yaml --since old.yaml --format sarif > lint.sarif",
    ),
)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--strict", is_flag=True, help="Let warnings count: exit code 1.")
@click.option("--select", "select", multiple=True, metavar="IDS", help="Ask only these rules or families, by commas.")
@click.option("--ignore", "ignore", multiple=True, metavar="IDS", help="Leave these rules or families out, by commas.")
@click.option("--since", type=click.Path(path_type=Path), help="An older version, for the rules that compare.")
@click.option("--scorecard", "card", is_flag=True, help="What was found, what is clean, what could not be checked.")
@click.option("--explain", metavar="RULE", help="Say what a rule finds, why, and how to mend it.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["human", "plain", "json", "sarif", "junit", "github"]),
    default="human",
    show_default=True,
    help="How to answer; `json` and `sarif` own stdout, `github` writes workflow commands.",
)
def lint(
    files: tuple[Path, ...],
    *,
    strict: bool,
    card: bool,
    explain: str | None,
    form: Form,
    since: Path | None,
    **names: tuple[str, ...],
) -> int:
    """Read policies as their sharpest critic would: 0 no errors, 1 errors, 2 a file is no policy.

    Every rule has a page in docs/rules. A comment `# lint: ignore RULE: REASON` silences a rule on its line; what it
    silences is counted and shown all the same. Nothing that lint finds changes what the gate decides.
    """
    if (card or explain is not None) and form in ("sarif", "junit", "github"):
        raise RefusalError("usage", "format-of-findings", f"`{form}` is a form of findings, and no other answer has it")
    if explain is not None:
        return _explain(find_rule(explain), form)
    if not files:
        raise RefusalError("usage", "files-none", "no policy file is named", "name one, or ask `--explain RULE`")
    rules = choose(_split(names["select"]), _split(names["ignore"]))
    reports = lint_files(files, rules, since)
    failing: tuple[Severity, ...] = ("error", "warning") if strict else ("error",)
    if card:
        _scorecards(reports, form)
    else:
        _show(reports, rules, form, failing)
    if any(report.malformed for report in reports):
        return exits.USAGE
    return exits.NO if any(report.open(*failing) for report in reports) else exits.YES


def _split(given: Sequence[str]) -> list[str]:
    return [name for item in given for name in item.split(",") if name.strip()]


def _output(form: Form) -> Output:
    match form:
        case "human" | "plain":
            return Output(form)
        case _:
            return Output("json")


def _explain(rule: Rule, form: Form) -> int:
    if form not in {"human", "plain"}:
        _output(form).json(
            {
                "rule": rule.id,
                "name": rule.name,
                "family": rule.family,
                "severity": rule.severity,
                "summary": rule.summary,
                "why": rule.why,
                "fix": rule.fix,
                "page": f"docs/rules/{rule.id}.md",
            }
        )
        return exits.YES
    lines = [f"{rule.id} {rule.name} ({rule.family}, {rule.severity})", "", wrap(rule.summary, "", "")]
    for attribute, title in _OF_PAGE:
        lines += ["", f"{title}:", wrap(getattr(rule, attribute), "  ", "  ")]
    _output(form).lines([*lines, "", f"examples: docs/rules/{rule.id}.md"])
    return exits.YES


def _show(reports: Sequence[Report], rules: Sequence[Rule], form: Form, failing: tuple[Severity, ...]) -> None:
    output = _output(form)
    if form == "json":
        output.json({"files": [_record(report) for report in reports]})
    elif form == "sarif":
        output.json(sarif(reports, rules, __version__))
    elif form == "junit":
        output.lines(junit(reports, failing))
    elif form == "github":
        for line in github(reports):
            click.echo(line)  # these lines are commands, and nothing in them is but what we wrote
    elif form == "plain":
        output.lines(_line(item) for report in reports for item in report.judged)
    else:
        for report in reports:
            output.lines(_human(report))


def _human(report: Report) -> Iterator[str]:
    for item in report.judged:
        if not item.suppressed:
            yield render(item.diagnostic)
    for item in report.suppressed:
        yield _line(item)
    yield f"{safe(report.file)}: {_count(report)}"


def _count(report: Report) -> str:
    if report.malformed:
        return "this is no policy"
    severities: tuple[Severity, ...] = ("error", "warning", "note")
    counts = [show_count(found, name) for name in severities if (found := len(report.open(name)))]
    if report.suppressed:
        counts.append(f"{len(report.suppressed)} suppressed")
    unchecked = sum(item.status == "unchecked" for item in report.outcomes)
    asked = show_count(len(report.outcomes) - unchecked, "rule")
    tail = f"{asked} checked, {unchecked} not checkable" if unchecked else f"{asked} checked"
    return f"{', '.join(counts) or 'nothing found'}; {tail}"


def _line(item: Judged) -> str:
    silenced = f"; suppressed: {item.suppressed}" if item.suppressed else ""
    return safe(f"{finding_line(item.diagnostic)}{silenced}")


def _record(report: Report) -> dict[str, object]:
    return {
        "file": report.file,
        "malformed": report.malformed,
        "findings": [
            {**_finding(item.diagnostic), "suppressed": item.suppressed or None, "unread": item.unread}
            for item in report.judged
        ],
        "not checkable": {item.rule.id: item.reason for item in report.outcomes if item.status == "unchecked"},
    }


def _finding(found: Diagnostic) -> dict[str, object]:
    return {
        "rule": found.code,
        "severity": found.severity,
        "message": found.message,
        "cause": found.cause,
        "help": found.help,
        "span": span_record(found.span),
    }


def _scorecards(reports: Sequence[Report], form: Form) -> None:
    output = _output(form)
    cards = {report.file: scorecard(report) for report in reports if not report.malformed}
    if form not in {"human", "plain"}:
        output.json({"files": [{"file": file, "families": list(map(_family, found))} for file, found in cards.items()]})
        return
    for report in reports:
        output.lines([safe(report.file)])
        if report.malformed:
            output.lines(render(item.diagnostic) for item in report.judged)
        for found in cards.get(report.file, ()):
            output.lines(_card_lines(found))


def _family(card: Card) -> dict[str, object]:
    return {
        "family": card.family,
        "rules": [
            {"rule": row.rule, "name": row.name, "standing": row.standing, "reasons": list(row.reasons)}
            for row in card.rows
        ],
    }


def _card_lines(card: Card) -> Iterator[str]:
    if not card.rows:
        return
    yield f"  {card.family}"
    for standing in ("found", "clean", "not checkable"):
        for row in card.rows:
            if row.standing == standing:
                more = f" (and {len(row.reasons) - 1} more)" if len(row.reasons) > 1 else ""
                yield wrap(f"{row.rule} {row.reasons[0]}{more}", f"    {standing:<14}", " " * 18)
