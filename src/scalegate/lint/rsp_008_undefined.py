"""RSP-008: what nobody has defined yet stops."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scalegate.core.terms import Hole, Specified
from scalegate.lint.conditions import terms
from scalegate.lint.practice import says
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote

_LATER = re.compile(
    r"\b(?:future|later|decided when|not (?:yet )?(?:set|defined|specified|written)|to be|undefined|unset|tbd)\b",
    re.IGNORECASE,
)


def check(subject: Subject) -> Iterator[Finding]:
    """Find open requirements that let go on, and safeguards that are left for later."""
    kernel = subject.kernel
    for item in kernel.commitments:
        names = [
            getattr(term, "name", "") or getattr(term, "hole", "")
            for _, term in terms(kernel, item.when, item.until)
            if isinstance(term, Hole | Specified)
        ]
        if names and (item.unsettled == "permit" or item.modality != "must"):
            yield Finding(
                item.span,
                f"{quote(item.id)} waits for {quote(names[0])}, which nobody has stated, and does not stop meanwhile",
            )
    if any(isinstance(term, Specified | Hole) for term in kernel.terms):
        return
    for key in ("security level", "interim measures"):
        hit = says(subject.practice(key), _LATER)
        if hit:
            yield Finding(
                subject.practice_span(key),
                f"{quote(key)} is left for later, and nothing stops until then: {quote(hit)}",
            )


RULE = Rule(
    id="RSP-008",
    name="undefined-without-stop",
    severity="error",
    summary="A safeguard or requirement is not defined yet, and nothing stops until it is.",
    why=(
        "The levels that matter most are the ones left blank. A blank that holds is honest; a blank that lets go "
        "on is a permit for the worst case."
    ),
    fix="Let the commitment hold until the hole is filled: `unknown: hold`, as a duty.",
    check=check,
    whom="reference",
)
