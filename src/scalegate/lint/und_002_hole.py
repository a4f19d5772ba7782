"""UND-002: a hole has an owner, a date, and somebody who may fill it; and it stops meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.core.kernel import HoleSpec
from scalegate.core.quantities import YEAR
from scalegate.core.terms import Hole, Specified
from scalegate.lint.conditions import terms
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote

# Longer than any published framework has stood unchanged.
_FAR = 3 * YEAR


def _missing(spec: HoleSpec, effective: int) -> Iterator[tuple[str, str]]:
    if not spec.owner:
        yield "no owner", "write `owner:`"
    if spec.review_by is None:
        yield "no date on which it is looked at again", "write `review by:`"
    elif spec.review_by > effective + _FAR:
        years = (spec.review_by - effective) // YEAR
        yield f"a date that nobody waits for: {years} years from the policy's own", "write an earlier `review by:`"


def _waiting(subject: Subject) -> frozenset[str]:
    """Return the holes that some duty waits for."""
    kernel = subject.kernel
    sides = [side for item in kernel.commitments if item.modality == "must" for side in (item.when, item.until)]
    found = {
        getattr(term, "name", "") or getattr(term, "hole", "")
        for _, term in terms(kernel, *sides)
        if isinstance(term, Hole | Specified)
    }
    return frozenset(found)


def check(subject: Subject) -> Iterator[Finding]:
    """Find holes that nobody will ever fill, or that nothing waits for."""
    waiting = _waiting(subject)
    for spec in subject.kernel.holes.values():
        name = spec.name.removeprefix("capability.")
        section = "evaluations" if name == spec.name else "capabilities"
        span = subject.key(section, name)
        if subject.entry(section, name, "hole") is None:
            yield Finding(
                span, f"{quote(name)} is a hole that nobody declared", help="write `hole:`, with an owner and a date"
            )
            continue
        for what, remedy in _missing(spec, subject.kernel.effective):
            yield Finding(span, f"the hole {quote(name)} has {what}", help=remedy)
        if not spec.filled_only_by:
            yield Finding(
                span,
                f"nobody may fill the hole {quote(name)}",
                help="write `filled only by:` and the roles",
                severity="warning",
            )
        if spec.name not in waiting:
            yield Finding(
                span,
                f"nothing stops because of the hole {quote(name)}",
                severity="error" if subject.reference else "warning",
            )


RULE = Rule(
    id="UND-002",
    name="orphaned-hole",
    severity="error",
    summary="A hole has no owner, no date of review or nobody who may fill it, or nothing stops because of it.",
    why=(
        "A hole is an honest answer as long as somebody works on it. Without owner and date it is a blank, and a "
        "blank is what every version carries over to the next."
    ),
    fix="Write `owner:`, `review by:` and `filled only by:`, and let a commitment wait for it.",
    check=check,
)
