"""JUnit XML of policy tests: one suite a file of cases, one test a case."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.policy.diagnose import visible
from scalegate.prove.cases.case import Covered, Tried


def cases_junit(file: str, tried: tuple[Tried, ...], missing: tuple[Covered, ...]) -> Iterator[str]:
    """Yield the lines of a JUnit document.

    Args:
        file: the file of cases.
        tried: what came of every case.
        missing: commitments with an outcome that no case shows, each a failed test; empty where that does not count.
    """
    failures = sum(bool(item.wrong) for item in tried) + len(missing)
    counts = f'tests="{len(tried) + len(missing)}" failures="{failures}" errors="0" skipped="0"'
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield f'<testsuites name="scalegate policy test" {counts}>'
    yield f'  <testsuite name="{_attribute(file)}" {counts}>'
    for item in tried:
        yield from _case(file, "case", item.case.name, item.wrong, item.case.span.line)
    for covered in missing:
        unseen = f"no case shows {covered.commitment}: {', '.join(covered.unseen)}"
        yield from _case(file, "coverage", covered.commitment, (unseen,), 0)
    yield "  </testsuite>"
    yield "</testsuites>"


def _case(file: str, kind: str, name: str, wrong: tuple[str, ...], line: int) -> Iterator[str]:
    place = f' line="{line}"' if line else ""
    start = f'    <testcase classname="{kind}" name="{_attribute(name)}" file="{_attribute(file)}"{place}'
    if not wrong:
        yield f"{start}/>"
        return
    yield f"{start}>"
    yield f'      <failure message="{_attribute("; ".join(wrong))}"/>'
    yield "    </testcase>"


def _attribute(text: str) -> str:
    """Return text on one line without what XML forbids, and with what it reserves escaped."""
    shown = visible(" ".join(text.split()))
    return shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
