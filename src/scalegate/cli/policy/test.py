"""`scalegate policy test`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from scalegate.app.policy_tests import Tested, try_cases
from scalegate.cli import exits
from scalegate.cli.options import examples
from scalegate.cli.output import Output, bold
from scalegate.cli.text import safe
from scalegate.core.quantities import show_count
from scalegate.report.junit_cases import cases_junit


@click.command(
    "test",
    epilog=examples(
        "scalegate policy test acme.cases.yaml", "scalegate policy test acme.cases.yaml --policy acme.yaml"
    ),
)
@click.argument("cases", type=click.Path(path_type=Path))
@click.option("--policy", type=click.Path(path_type=Path), help="The policy; by default the one that the file names.")
@click.option("--require-coverage", is_flag=True, help="Let an outcome that no case shows count: exit code 1.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["human", "plain", "json", "junit"]),
    default="human",
    show_default=True,
    help="How to answer; `plain` is one line per fact, `json` and `junit` own stdout.",
)
def test_cases(cases: Path, *, policy: Path | None, require_coverage: bool, form: str) -> int:
    """Try cases on a policy: situations, with the answer and the reasons that are expected.

    Exit code 0: all as expected. Coverage tells which outcomes of a commitment no case shows: held, released by
    what is shown, by its resumption, by an exception, or below the scope.
    """
    found = try_cases(cases, policy)
    if form == "json":
        Output("json").json(_record(found))
    elif form == "junit":
        missing = tuple(item for item in found.coverage if item.unseen) if require_coverage else ()
        Output("plain").lines(cases_junit(str(cases), found.tried, missing))
    else:
        Output("plain").lines(_plain(found) if form == "plain" else _human(found))
    good = not found.wrong and (found.covered or not require_coverage)
    return exits.YES if good else exits.NO


def _human(found: Tested) -> Iterator[str]:
    for item in found.tried:
        if item.wrong:
            yield f"{bold('WRONG')}  {safe(item.case.name)} ({safe(str(item.case.span))})"
            yield from (f"       {safe(reason)}" for reason in item.wrong)
    count = show_count(len(found.tried), "case")
    yield f"{count} of {safe(found.kernel.id)}, {found.wrong or 'none'} wrong"
    unasked = [item for item in found.tried if item.unasked]
    if unasked:
        yield f"of {len(unasked)} no history is known: the interpreter alone judged them"
    unseen = [item for item in found.coverage if item.unseen]
    if not unseen:
        yield "every outcome of every commitment is shown by a case"
    for covered in unseen:
        yield f"no case shows {safe(covered.commitment)}: {', '.join(covered.unseen)}"


def _plain(found: Tested) -> Iterator[str]:
    for item in found.tried:
        yield f"case: {safe(item.case.name)}: {'; '.join(map(safe, item.wrong)) or 'as expected'}"
        if item.unasked:
            yield f"interpreter alone: {safe(item.case.name)}: {safe(item.unasked)}"
    for covered in found.coverage:
        yield f"seen: {safe(covered.commitment)}: {', '.join(covered.seen) or 'none'}"
        yield f"unseen: {safe(covered.commitment)}: {', '.join(covered.unseen) or 'none'}"


def _record(found: Tested) -> dict[str, object]:
    return {
        "file": str(found.file),
        "policy": {"id": found.kernel.id, "version": found.kernel.version, "digest": found.kernel.digest},
        "wrong": found.wrong,
        "covered": found.covered,
        "cases": [
            {
                "name": item.case.name,
                "line": item.case.span.line,
                "action": item.case.action,
                "situation": list(item.case.clauses),
                "expected": "permit" if item.case.permit else "hold",
                "answer": "permit" if item.permits else "hold",
                "held_by": list(item.held_by),
                "outcomes": dict(item.outcomes),
                "gate": item.unasked or "asked as well",
                "wrong": list(item.wrong),
            }
            for item in found.tried
        ],
        "coverage": [
            {"commitment": item.commitment, "seen": list(item.seen), "unseen": list(item.unseen)}
            for item in found.coverage
        ],
    }
