"""THR-003: a number is a number."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.lint.words import EMPTY_PIN, PLACEHOLDER
from scalegate.policy.diagnose import quote


def check(subject: Subject) -> Iterator[Finding]:
    """Find stand-ins for numbers, and pins that pin nothing."""
    for scalar in subject.scalars():
        hit = PLACEHOLDER.search(scalar.text)
        if hit is not None:
            span = scalar.at(hit.start(), hit.end())
            yield Finding(span, f"{quote(hit.group(0))} stands where a number should")
        pin = EMPTY_PIN.search(scalar.text)
        if pin is not None:
            span = scalar.at(pin.start(), pin.end())
            yield Finding(
                span, "a digest that was made up: it pins nothing", help="write the digest of the file itself"
            )


RULE = Rule(
    id="THR-003",
    name="placeholder",
    severity="error",
    summary="A placeholder such as X% or TBD stands where a number should, or a made-up digest where a pin should.",
    why=(
        "A draft that is adopted as it stands looks like a commitment and is none. Published scorecards have kept"
        " their placeholders for years."
    ),
    fix=(
        "Write the number. If nobody knows it, write `hole:` with an owner and a date: a hole holds, a "
        "placeholder does not."
    ),
    check=check,
)
