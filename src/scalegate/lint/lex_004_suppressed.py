"""LEX-004: who silences a rule says why."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.lint.rule import FAMILIES, Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.lint.suppress import comments
from scalegate.policy.diagnose import quote


def check(subject: Subject) -> Iterator[Finding]:
    """Find comments that silence nothing, because they name no rule or no reason."""
    for comment in comments(subject):
        odd = [name for name in comment.rules if name[:3] not in FAMILIES or not name[4:].isdigit()]
        if not comment.rules:
            yield Finding(
                comment.span, "this comment names no rule to ignore", help="write `# lint: ignore RULE-000: REASON`"
            )
        elif odd:
            yield Finding(comment.span, f"there is no rule {quote(odd[0])}")
        elif not comment.reason:
            yield Finding(
                comment.span,
                f"this comment ignores {quote(comment.rules[0])} without a reason, and so does not",
                help="write a colon and the reason",
            )


RULE = Rule(
    id="LEX-004",
    name="silent-suppression",
    severity="error",
    summary="A comment ignores a rule without a reason, or names no rule.",
    why=(
        "A critic who can be told to be quiet is none. Who silences a finding signs it with a reason that "
        "everybody reads."
    ),
    fix="Write `# lint: ignore RULE: REASON` on the line of the finding.",
    check=check,
)
