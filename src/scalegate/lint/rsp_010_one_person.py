"""RSP-010: no single person overrides a measurement."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scalegate.core.kernel import AnyOf, AtLeast
from scalegate.lint.conditions import alternatives, by_words_alone, one_person
from scalegate.lint.practice import says
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote

_ALONE = re.compile(
    r"\b(?:alone|single|sole(?:ly)?|overrid\w*|by either"
    r"|without (?:the )?(?:\w+ )?(?:advice|consult\w*|approval|recommendation|SAG|group|committee))\b",
    re.IGNORECASE,
)


def check(subject: Subject) -> Iterator[Finding]:
    """Find alternatives that one person can open; how many speak for a role of an encoded text is not known."""
    kernel = subject.kernel
    for commitment in () if subject.reference else kernel.commitments:
        for part in (*alternatives(commitment.when), *alternatives(commitment.until)):
            roles = {term.role for term in by_words_alone(kernel, part)}
            if isinstance(part, AnyOf | AtLeast) or len(roles) != 1:
                continue
            (role,) = roles
            if one_person(kernel, role):
                yield Finding(
                    part.span,
                    f"one person in the role {quote(role)} opens {quote(commitment.id)} without a measurement",
                    help=f"give {quote(role)} a quorum, or join the conditions with `and`",
                )
    hit = says(subject.practice("decider"), _ALONE)
    if hit:
        yield Finding(subject.practice_span("decider"), f"one person decides, against whatever was found: {quote(hit)}")


RULE = Rule(
    id="RSP-010",
    name="one-person-override",
    severity="error",
    summary="One person's word stands in the place of a measurement.",
    why="The person who may override is the one whom all the pressure is put on.",
    fix=("Demand a quorum (`{quorum: 2 of 3}`), or let the word come on top of the measurement, never instead of it."),
    check=check,
)
