"""THR-014: the distance between stopping and resuming is larger than the noise."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from scalegate.core.quantities import show_rate
from scalegate.lint.conditions import ceilings, limit, shown
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote
from scalegate.stats.binomial import upper_bound

# What a bank of ordinary size can tell apart.
_ITEMS = 1_000


def check(subject: Subject) -> Iterator[Finding]:
    """Find resumptions that a model just below the stopping value would meet by luck."""
    kernel = subject.kernel
    for commitment in kernel.commitments:
        stops = ceilings(kernel, shown(commitment))
        for name, leaf in ceilings(kernel, commitment.until).items():
            evaluation = kernel.evaluations[name]
            if name not in stops or evaluation.of_means or evaluation.concept:
                continue
            low, high = limit(leaf), limit(stops[name])
            items = evaluation.bank or _ITEMS
            if not 0 < low < high < 1:
                continue
            told = upper_bound(int(low * items), items, evaluation.wrongly_cleared)
            exact = evaluation.estimand == "bank"
            if (high - low) * items < 1 if exact else told > high:
                yield Finding(
                    leaf.span,
                    f"{items:,} items cannot tell {show_rate(low)} and {show_rate(high)} on {quote(name)} apart",
                    cause=f"a score of {show_rate(low)} there still allows a rate of {show_rate(_short(told))}"
                    if not exact
                    else "both are the same number of items",
                )


def _short(value: Fraction) -> Fraction:
    return Fraction(round(value * 10_000), 10_000)


RULE = Rule(
    id="THR-014",
    name="gap-inside-noise",
    severity="warning",
    summary=(
        "The values for stopping and for resuming lie so close that a bank of ordinary size cannot tell them apart."
    ),
    why=(
        "A model that was stopped is measured again, and again. With lines this close, one of the measurements "
        "lands on the other side although nothing has changed."
    ),
    fix="Move the resumption further down, use a larger bank, or resume on another measurement.",
    check=check,
)
