"""JUnit XML of `policy test`: one suite a file of cases, one test a case."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.prove.cases.case import Covered, Tried
from scalegate.report.junit_xml import Failure, Suite, Test, junit_xml


def cases_junit(file: str, tried: tuple[Tried, ...], missing: tuple[Covered, ...]) -> Iterator[str]:
    """Yield the lines of a JUnit document.

    Args:
        file: the file of cases.
        tried: what came of every case.
        missing: commitments with an outcome that no case shows, each a failed test; empty where that does not count.
    """
    tests = [_test("case", item.case.name, item.wrong, item.case.span.line) for item in tried]
    for covered in missing:
        unseen = f"no case shows {covered.commitment}: {', '.join(covered.unseen)}"
        tests.append(_test("coverage", covered.commitment, (unseen,)))
    return junit_xml("scalegate policy test", [Suite(file, tuple(tests))])


def _test(group: str, name: str, wrong: tuple[str, ...], line: int = 0) -> Test:
    failures = (Failure(_on_one_line("; ".join(wrong))),) if wrong else ()
    return Test(group, _on_one_line(name), line, failures)


def _on_one_line(text: str) -> str:
    return " ".join(text.split())
