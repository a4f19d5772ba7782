"""JUnit XML: one suite a file, one case a rule, as continuous integration shows tests."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from scalegate.core.diagnostic import Diagnostic, Severity
from scalegate.lint.run import Judged, Outcome, Report
from scalegate.policy.diagnose import visible


def junit(reports: Iterable[Report], failing: Collection[Severity]) -> Iterator[str]:
    """Yield the lines of a JUnit document.

    Args:
        reports: what was found, file by file.
        failing: severities that fail their case; other findings are its output.
    """
    suites = [_suite(report, failing) for report in reports]
    tests, failures, skipped = (sum(found[place] for found, _ in suites) for place in range(3))
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    counts = f'tests="{tests}" failures="{failures}" errors="0" skipped="{skipped}"'
    yield f'<testsuites name="scalegate policy lint" {counts}>'
    for _, lines in suites:
        yield from lines
    yield "</testsuites>"


def _suite(report: Report, failing: Collection[Severity]) -> tuple[tuple[int, int, int], list[str]]:
    cases = [_case(report, item, failing) for item in report.outcomes]
    if report.malformed:
        cases.append(_malformed(report))
    failed = sum(any("<failure" in line for line in case) for case in cases)
    skipped = sum(any("<skipped" in line for line in case) for case in cases)
    counts = f'tests="{len(cases)}" failures="{failed}" errors="0" skipped="{skipped}"'
    lines = [f'  <testsuite name="{_attribute(report.file)}" {counts}>']
    lines += [line for case in cases for line in case]
    return (len(cases), failed, skipped), [*lines, "  </testsuite>"]


def _case(report: Report, outcome: Outcome, failing: Collection[Severity]) -> list[str]:
    rule = outcome.rule
    body: list[str] = []
    if outcome.status == "unchecked":
        body.append(f'      <skipped message="{_attribute(outcome.reason)}"/>')
    said: list[str] = []
    for item in outcome.judged:
        if item.diagnostic.severity in failing and not item.suppressed and not item.unread:
            body.append(_failure(item.diagnostic))
        else:
            said.append(_line(item))
    if said:
        body.append(f"      <system-out>{_content(chr(10).join(said))}</system-out>")
    start = (
        f'    <testcase classname="{_attribute(rule.family)}" name="{_attribute(f"{rule.id} {rule.name}")}"'
        f' file="{_attribute(report.file)}"'
    )
    return [f"{start}/>"] if not body else [f"{start}>", *body, "    </testcase>"]


def _malformed(report: Report) -> list[str]:
    start = f'    <testcase classname="language" name="it is a policy" file="{_attribute(report.file)}">'
    return [start, *(_failure(item.diagnostic) for item in report.judged), "    </testcase>"]


def _failure(found: Diagnostic) -> str:
    return (
        f'      <failure type="{_attribute(f"{found.severity} {found.code}")}" message="{_attribute(found.message)}">'
        f"{_content(_line(Judged(found)))}</failure>"
    )


def _line(item: Judged) -> str:
    found = item.diagnostic
    parts = [f"{found.span}: " if found.span else "", f"{found.severity} {found.code}: {found.message}"]
    parts += [f"; {part}" for part in (found.cause, found.help) if part]
    if item.suppressed:
        parts.append(f"; suppressed: {item.suppressed}")
    return "".join(parts)


def _content(text: str) -> str:
    """Return text without what XML forbids, and with what it reserves escaped; lines stay lines."""
    shown = "\n".join(visible(line) for line in text.split("\n"))
    return shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _attribute(text: str) -> str:
    return _content(text).replace('"', "&quot;").replace("\n", "&#10;")
