"""Practices: what a policy declares and the gate does not enforce, as rules ask for it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scalegate.core.diagnostic import Severity, Span
from scalegate.core.duties import Declared
from scalegate.lint.rule import Finding
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote

# In a policy of one's own, leaving out what the gate does not enforce changes no decision.
_OWN: Severity = "note"


def own_severity(subject: Subject) -> Severity | None:
    """Return how severe a missing practice is: less where the gate goes on without it."""
    return None if subject.reference else _OWN


def not_read(span: Span, what: str) -> Finding:
    """Return the note that nobody read the part of a text that would answer a rule."""
    return Finding(
        span, f"not read here: {what}", "so that nothing is said to be missing", "read it", "note", unread=True
    )


def missing(subject: Subject, key: str, message: str, *paths: str) -> Iterator[Finding]:
    """Yield the finding that a practice is declared nowhere, or the note that nobody read whether it is.

    Args:
        subject: the policy.
        key: its standard key.
        message: what is missing.
        paths: other parts of the text where it could stand.
    """
    span = subject.practice_span(key)
    if subject.unread(f"declares.{key}", *paths):
        yield not_read(span, key)
    else:
        yield Finding(
            span,
            message,
            help=f"declare {quote(key)}, with a number where there is one",
            severity=own_severity(subject),
        )


def binding(subject: Subject, key: str, missing_message: str, *paths: str) -> Iterator[Finding]:
    """Yield a finding unless a practice is declared, and as something that must be done."""
    found = subject.practice(key)
    if found is None:
        yield from missing(subject, key, missing_message, *paths)
    elif found.modality != "must":
        yield Finding(
            subject.practice_span(key),
            f"{quote(key)} is declared, and binds nobody: {quote(found.modality)}",
            cause=f"it says {quote(found.says)}",
            severity=own_severity(subject),
        )


def text_of(declared: Declared) -> str:
    """Return everything that a declaration says."""
    return f"{declared.says} {declared.number}".strip()


def says(declared: Declared | None, pattern: re.Pattern[str]) -> str:
    """Return the first stretch of a declaration that a pattern matches; empty for none."""
    if declared is None:
        return ""
    hit = pattern.search(text_of(declared))
    return hit.group(0).strip() if hit else ""
