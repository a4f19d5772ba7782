"""EVA-016: who vouches for a result is not who wants it."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.lint.conditions import independent
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote


def check(subject: Subject) -> Iterator[Finding]:
    """Find claims that the developer vouches for, or that never have to be renewed."""
    for evaluation in subject.kernel.evaluations.values():
        for belief in evaluation.beliefs:
            if belief.role is None:
                yield Finding(belief.span, f"nobody is named to attest {quote(belief.claim)}", severity="warning")
            elif not independent(subject.kernel, belief.role):
                yield Finding(
                    belief.span,
                    f"{quote(belief.role)} attests {quote(belief.claim)}, and is not independent of the developer",
                )
            elif belief.expires is None:
                yield Finding(
                    belief.span,
                    f"the attestation of {quote(belief.claim)} never expires",
                    help="write `expires: 6 months`",
                    severity="warning",
                )


RULE = Rule(
    id="EVA-016",
    name="belief-by-developer",
    severity="error",
    summary="Who is not independent of the developer attests that a result is believable, or somebody once for ever.",
    why=(
        "That a model did not game its evaluation is a judgment. Made by those who want to ship, or made once and"
        " never again, it is a formality."
    ),
    fix="Name a role with `independent of: [developer]`, and let the attestation expire.",
    check=check,
    whom="own",
)
