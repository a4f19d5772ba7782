"""GOV-005: nobody changes the rule while it holds him."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.lint.practice import text_of
from scalegate.lint.rsp_006_rewrite import FORBIDDEN
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote


def check(subject: Subject) -> Iterator[Finding]:
    """Find amendments that may take effect while a gate is tripped."""
    declared = subject.practice("threshold rewrite")
    if declared is not None and not FORBIDDEN.search(text_of(declared)):
        yield Finding(
            subject.practice_span("threshold rewrite"),
            f"the policy may be changed while it holds something: {quote(declared.says)}",
        )


RULE = Rule(
    id="GOV-005",
    name="amended-while-tripped",
    severity="error",
    summary="The policy may be weakened while one of its own gates is tripped.",
    why="A rule that can be changed by those whom it holds, at the time when it holds them, never holds.",
    fix="Refuse it. The gate does: weakening that would free something held is no amendment.",
    check=check,
    whom="reference",
)
