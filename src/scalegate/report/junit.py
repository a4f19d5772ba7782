"""JUnit XML of `policy lint`: one suite a file, one test a rule."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from scalegate.core.diagnostic import Severity
from scalegate.lint.run import Judged, Outcome, Report
from scalegate.report.junit_xml import Failure, Suite, Test, junit_xml


def junit(reports: Iterable[Report], failing: Collection[Severity]) -> Iterator[str]:
    """Yield the lines of a JUnit document.

    Args:
        reports: what was found, file by file.
        failing: severities that fail their test; other findings are its output.
    """
    return junit_xml("scalegate policy lint", [_suite(report, failing) for report in reports])


def _suite(report: Report, failing: Collection[Severity]) -> Suite:
    tests = [_test(item, failing) for item in report.outcomes]
    if report.malformed:
        tests.append(Test("language", "it is a policy", failures=tuple(_failure(item) for item in report.judged)))
    return Suite(report.file, tuple(tests))


def _test(outcome: Outcome, failing: Collection[Severity]) -> Test:
    failures: list[Failure] = []
    said: list[str] = []
    for item in outcome.judged:
        if item.diagnostic.severity in failing and not item.suppressed and not item.unread:
            failures.append(_failure(item))
        else:
            said.append(_line(item))
    rule = outcome.rule
    return Test(rule.family, f"{rule.id} {rule.name}", 0, tuple(failures), outcome.reason, "\n".join(said))


def _failure(item: Judged) -> Failure:
    found = item.diagnostic
    return Failure(found.message, f"{found.severity} {found.code}", _line(Judged(found)))


def _line(item: Judged) -> str:
    found = item.diagnostic
    parts = [f"{found.span}: " if found.span else "", f"{found.severity} {found.code}: {found.message}"]
    parts += [f"; {part}" for part in (found.cause, found.help) if part]
    if item.suppressed:
        parts.append(f"; suppressed: {item.suppressed}")
    return "".join(parts)
