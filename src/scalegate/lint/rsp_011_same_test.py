"""RSP-011: one does not resume by passing the test that was failed."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.lint.conditions import independent, measured, safeguards, worded
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote


def check(subject: Subject) -> Iterator[Finding]:
    """Find resumptions on nothing but the evaluation that stopped."""
    kernel = subject.kernel
    for commitment in kernel.commitments:
        stopped = {found.id for _, found in measured(kernel, commitment.when)}
        asked = {found.id for _, found in measured(kernel, commitment.until)}
        # The word of whoever is held adds nothing to a test.
        vouched = any(independent(kernel, term.role) for _, term in worded(kernel, commitment.until))
        more = (
            safeguards(kernel, commitment.until)
            or vouched
            or (subject.reference and any(True for _ in worded(kernel, commitment.until)))
        )
        if asked and asked <= stopped and not more:
            yield Finding(
                commitment.until.span,
                f"{quote(commitment.id)} stops and resumes on {quote(min(asked))} alone",
                cause="whatever lowers that score ends the hold, hiding the capability included",
            )


RULE = Rule(
    id="RSP-011",
    name="resumes-on-the-same-test",
    severity="warning",
    summary="The hold ends on the very evaluation that began it, and on nothing else.",
    why=(
        "A capability does not go away; its score does. Training against the test, or against showing what it "
        "finds, ends such a hold without making anything safer."
    ),
    fix="Resume on a different target: a safety evaluation, a safeguard, something that is understood.",
    check=check,
)
