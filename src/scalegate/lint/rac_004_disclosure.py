"""RAC-004: who uses an exception says so."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scalegate.core.kernel import Compare, Kernel
from scalegate.core.terms import Approved, Published
from scalegate.lint.conditions import inevitable
from scalegate.lint.practice import binding, text_of
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote

_TOLD = re.compile(r"\b(?:publi\w*|government\w*|regulator\w*|authorit\w*)\b", re.IGNORECASE)
_OFFICE = re.compile(r"regulator|government|authority|office|institute", re.IGNORECASE)


def _tells(kernel: Kernel, leaf: Compare) -> bool:
    term = kernel.terms[leaf.term]
    told = isinstance(term, Published) or (isinstance(term, Approved) and _OFFICE.search(term.role) is not None)
    return leaf.above and told


def check(subject: Subject) -> Iterator[Finding]:
    """Find exceptions that can be used in silence."""
    kernel = subject.kernel
    if subject.practice("competitor clause") is not None:
        declared = subject.practice("competitor disclosure")
        if declared is None or declared.modality != "must":
            yield from binding(
                subject, "competitor disclosure", "nobody has to be told that the clause about competitors is used"
            )
        elif not _TOLD.search(text_of(declared)):
            span = subject.practice_span("competitor disclosure")
            yield Finding(span, f"neither the public nor a government has to be told: {quote(declared.says)}")
    for item in kernel.exceptions:
        if not any(inevitable(need, lambda leaf: _tells(kernel, leaf)) for need in item.needs):
            yield Finding(
                subject.value("exceptions", item.id, "needs"),
                f"{quote(item.id)} can be used without anybody hearing of it",
                help="add `published` to `needs:`",
            )


RULE = Rule(
    id="RAC-004",
    name="silent-exception",
    severity="error",
    summary="An exception can be used without being published, and without a government being asked.",
    why="A race is ended by those who see it. An exception that is used in silence starts the next one.",
    fix="Write `needs: [published]`.",
    check=check,
)
