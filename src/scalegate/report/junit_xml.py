"""JUnit XML as continuous integration reads it: suites of tests, each of which passed, failed or was left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scalegate.policy.diagnose import visible


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a test failed: in one sentence, of which kind, and at length; the latter two may be empty."""

    message: str
    kind: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Test:
    """One test.

    Attributes:
        group: what it belongs to.
        name: its name.
        line: where it stands in the file of its suite; 0 for nowhere in particular.
        failures: why it failed; none where it did not.
        skipped: why it was left out; empty where it was not.
        output: what it said besides, line by line; may be empty.
    """

    group: str
    name: str
    line: int = 0
    failures: tuple[Failure, ...] = ()
    skipped: str = ""
    output: str = ""


@dataclass(frozen=True, slots=True)
class Suite:
    """The tests of one file."""

    file: str
    tests: tuple[Test, ...]


def junit_xml(name: str, suites: Sequence[Suite]) -> Iterator[str]:
    """Yield the lines of a JUnit document."""
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield f'<testsuites name="{_attribute(name)}" {_counts([test for suite in suites for test in suite.tests])}>'
    for suite in suites:
        yield f'  <testsuite name="{_attribute(suite.file)}" {_counts(suite.tests)}>'
        for test in suite.tests:
            yield from _test(suite.file, test)
        yield "  </testsuite>"
    yield "</testsuites>"


def _counts(tests: Sequence[Test]) -> str:
    failed, skipped = (sum(map(bool, found)) for found in ([t.failures for t in tests], [t.skipped for t in tests]))
    return f'tests="{len(tests)}" failures="{failed}" errors="0" skipped="{skipped}"'


def _test(file: str, test: Test) -> Iterator[str]:
    place = f' line="{test.line}"' if test.line else ""
    start = f'    <testcase classname="{_attribute(test.group)}" name="{_attribute(test.name)}"'
    start += f' file="{_attribute(file)}"{place}'
    body = [f'      <skipped message="{_attribute(test.skipped)}"/>'] if test.skipped else []
    body += map(_failure, test.failures)
    if test.output:
        body.append(f"      <system-out>{_content(test.output)}</system-out>")
    yield from [f"{start}>", *body, "    </testcase>"] if body else [f"{start}/>"]


def _failure(found: Failure) -> str:
    kind = f'type="{_attribute(found.kind)}" ' if found.kind else ""
    start = f'      <failure {kind}message="{_attribute(found.message)}"'
    return f"{start}>{_content(found.text)}</failure>" if found.text else f"{start}/>"


def _content(text: str) -> str:
    """Return text without what XML forbids, and with what it reserves escaped; lines stay lines."""
    shown = "\n".join(visible(line) for line in text.split("\n"))
    return shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _attribute(text: str) -> str:
    return _content(text).replace('"', "&quot;").replace("\n", "&#10;")
