"""DIS-003: what is blacked out is counted."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.lint.practice import binding
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """Find texts that may leave things out of reports without saying so."""
    yield from binding(subject, "redactions", "nothing says that redactions are disclosed")


RULE = Rule(
    id="DIS-003",
    name="undisclosed-redactions",
    severity="warning",
    summary="Redactions of published reports do not have to be disclosed.",
    why="A report in which nobody can tell that a page is missing says what its author wants.",
    fix="Declare `redactions`: each is marked, with a reason and somebody who saw the whole.",
    check=check,
    whom="developer",
)
