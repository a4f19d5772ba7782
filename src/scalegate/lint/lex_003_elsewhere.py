"""LEX-003: what a text refers to can be read."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.lint.words import UNPUBLISHED
from scalegate.policy.diagnose import quote


def _encoded(subject: Subject) -> Iterator[Finding]:
    kernel = subject.kernel
    for key, declared in kernel.duties.declares.items():
        hit = UNPUBLISHED.search(declared.says)
        if hit is not None and subject.practice(key) is not None:
            yield Finding(
                subject.practice_span(key),
                f"it rests on what nobody outside can read: {quote(hit.group(0))}",
                cause=f"it says {quote(declared.says)}",
            )
    for spec in kernel.holes.values():
        hit = UNPUBLISHED.search(spec.words)
        if hit is not None:
            yield Finding(
                subject.key("evaluations", spec.name),
                f"it rests on what nobody outside can read: {quote(hit.group(0))}",
            )


def check(subject: Subject) -> Iterator[Finding]:
    """Find references to what is not there, and pins without a digest."""
    if subject.reference:
        yield from _encoded(subject)
        return
    for item in subject.kernel.safeguards.values():
        for key, text in (("means", item.means), ("because", item.because)):
            if text is not None and item.hole is not None and f"`{key}` is not pinned" in item.hole:
                yield Finding(
                    subject.value("safeguards", item.id, key),
                    f"{quote(text)} is named and not pinned: nobody can tell which document is meant",
                    severity="warning",
                )
    for key, declared in subject.kernel.duties.declares.items():
        hit = UNPUBLISHED.search(declared.says)
        if hit is not None:
            yield Finding(
                subject.practice_span(key), f"it rests on what nobody outside can read: {quote(hit.group(0))}"
            )


RULE = Rule(
    id="LEX-003",
    name="unpublished-reference",
    severity="error",
    summary="The text rests on a document that is not published, not written or not pinned.",
    why="A duty to follow an internal standard is a duty to follow whatever that says tomorrow.",
    fix="Publish the document, or pin it by its digest so that an auditor can hold its owner to it.",
    check=check,
)
