"""RAC-007: the way out does not grow between versions."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.lint.rule import Finding, Rule
from scalegate.lint.since import broadened
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote

_PARTS = ("competitor floor", "competitor evidence", "competitor disclosure")


def check(subject: Subject) -> Iterator[Finding]:
    """Find exceptions that are new or wider than in the older version."""
    older = subject.older
    if older is None:
        return
    for path, message, cause in broadened(older, subject.kernel):
        yield Finding(subject.key(*path), message, cause=cause)
    before, now = older.duties.declares, subject.kernel.duties.declares
    if "competitor clause" not in now:
        return
    span = subject.practice_span("competitor clause")
    if "competitor clause" not in before:
        yield Finding(span, f"a clause about competitors is new since version {quote(older.version)}")
    elif before["competitor clause"].says != now["competitor clause"].says:
        yield Finding(
            span,
            f"the clause about competitors reads otherwise than in version {quote(older.version)}",
            cause=f"it said {quote(before['competitor clause'].says)}",
        )
    for key in _PARTS:
        if key in before and key not in now:
            yield Finding(span, f"{quote(key)} is gone since version {quote(older.version)}")


RULE = Rule(
    id="RAC-007",
    name="wider-way-out",
    severity="error",
    summary=(
        "An exception or a clause about competitors is new, needs less, lasts longer or has a lower floor than before."
    ),
    why=("Clauses for an extreme emergency became, two versions on, clauses for the case that somebody else is ahead."),
    fix="Keep the older limits, or publish what made the wider clause necessary.",
    check=check,
    compares=True,
)
