"""THR-006: a ceiling is one that something could reach."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from scalegate.core.kernel import Compare, Condition, Kernel
from scalegate.core.quantities import show_rate
from scalegate.lint.conditions import ceilings, floors, limit, shown
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote

# A system that does what it must not do every other time is not one that would not do it.
_HALF = Fraction(1, 2)
_NEARLY_ALL = Fraction(95, 100)


def _allowed(kernel: Kernel, condition: Condition) -> Iterator[tuple[str, Compare, Fraction]]:
    """Yield the bounds of a condition with the failures that each still allows."""
    for name, leaf in ceilings(kernel, condition).items():
        yield name, leaf, limit(leaf)
    for name, leaf in floors(kernel, condition).items():
        if kernel.evaluations[name].kind == "safety":
            yield name, leaf, 1 - limit(leaf)


def check(subject: Subject) -> Iterator[Finding]:
    """Find ceilings so high that hardly anything lies above."""
    kernel = subject.kernel
    for commitment in kernel.commitments:
        for condition in (shown(commitment), commitment.until):
            for name, leaf, allowed in _allowed(kernel, condition):
                kind = kernel.evaluations[name].kind
                if allowed >= 1 or allowed < (_HALF if kind == "safety" else _NEARLY_ALL):
                    continue
                reason = (
                    "a system that fails this often is one that would do it"
                    if kind == "safety"
                    else "what solves nearly everything is still let through"
                )
                yield Finding(
                    leaf.span,
                    f"{quote(commitment.id)} is content with {_rate(leaf, allowed)} on {quote(name)}",
                    cause=reason,
                    help="measure a model that everybody agrees is too dangerous, and stay below its rate",
                )


def _rate(leaf: Compare, allowed: Fraction) -> str:
    return f"a rate of {show_rate(1 - allowed)}" if leaf.above else f"a rate of up to {show_rate(allowed)}"


RULE = Rule(
    id="THR-006",
    name="vacuous-ceiling",
    severity="warning",
    summary="A ceiling is so high that nearly every model passes: half on a safety test, 95% on a capability test.",
    why=(
        "A line that nobody reaches stops nobody, and reads like one that does. A published criterion of one half"
        " on a test of honesty was met by models that nobody calls honest."
    ),
    fix=(
        "Put the line below a reference model that is agreed to be over it, and name that model under `shown to "
        "work by`."
    ),
    check=check,
)
