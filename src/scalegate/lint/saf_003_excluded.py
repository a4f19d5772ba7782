"""SAF-003: who is not defended against is left out for a reason."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.lint.practice import text_of
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.lint.words import ARGUED, EXCLUDED
from scalegate.policy.diagnose import quote


def check(subject: Subject) -> Iterator[Finding]:
    """Find classes of adversaries that are left out; with a reason it is a note."""
    for item in subject.kernel.safeguards.values():
        hit = EXCLUDED.search(item.stops)
        if hit is not None and not (item.because or ARGUED.search(item.stops)):
            yield Finding(
                subject.value("safeguards", item.id, "stops"),
                f"{quote(item.id)} leaves somebody out, and gives no reason: {quote(item.stops)}",
            )
    declared = subject.practice("security level")
    if declared is not None and EXCLUDED.search(text_of(declared)):
        argued = ARGUED.search(text_of(declared))
        yield Finding(
            subject.practice_span("security level"),
            f"somebody is left out, {'with' if argued else 'and without'} a reason: {quote(declared.says)}",
            severity="note" if argued else None,
        )


RULE = Rule(
    id="SAF-003",
    name="adversary-left-out",
    severity="error",
    summary="A class of adversaries is left out of a safeguard, without a reason.",
    why=(
        "States and sophisticated insiders are the ones who can use what they steal. Leaving them out can be "
        "right; leaving them out in a footnote is not."
    ),
    fix="Say why the risk from them is acceptable (`because: NAME@sha256:...`), or defend against them.",
    check=check,
)
