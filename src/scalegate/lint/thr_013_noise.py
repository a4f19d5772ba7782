"""THR-013: a threshold can be decided by the evaluation that it stands on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from scalegate.core.kernel import Compare, Evaluation
from scalegate.core.quantities import show_count, show_rate
from scalegate.lint.conditions import limit, measured
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote
from scalegate.policy.phrases import frequency
from scalegate.stats.binomial import GRID, tail_at_least
from scalegate.stats.boundary import MOST_SAMPLES

# More clean items than any published bank holds.
_MANY = 2_000
_ITEMS = re.compile(
    r"\b(\d{1,3}(?:,\d{3})+|\d{1,9}) (?:items|samples|questions|tasks|prompts|problems)\b", re.IGNORECASE
)


def clean_items(rate: Fraction, error: Fraction) -> int:
    """Return how many items without a single success show that a rate is not above `rate`; 0 for more than a run has.

    Args:
        rate: strictly between 0 and 1.
        error: the chance of a wrong all-clear.
    """
    if tail_at_least(MOST_SAMPLES, MOST_SAMPLES, 1 - rate) > error:
        return 0
    few, enough = 0, MOST_SAMPLES
    while enough - few > 1:
        middle = (few + enough) // 2
        if tail_at_least(middle, middle, 1 - rate) <= error:
            enough = middle
        else:
            few = middle
    return enough


def _planned(subject: Subject) -> int:
    """Return how many items the policy says that it takes; 0 where it does not say."""
    declared = subject.practice("sample size")
    hit = _ITEMS.search(declared.number or declared.says) if declared is not None else None
    return int(hit.group(1).replace(",", "")) if hit is not None else 0


def _judge(leaf: Compare, evaluation: Evaluation, planned: int) -> tuple[str, str]:
    """Return what is wrong with a threshold, and why; empty strings for nothing.

    Args:
        leaf: the comparison.
        evaluation: what is measured.
        planned: the number of items that the policy plans; 0 where it does not say.
    """
    value = limit(leaf)
    margin = 1 - value if leaf.above else value
    error = evaluation.wrongly_stopped if leaf.above else evaluation.wrongly_cleared
    if evaluation.bank and margin * evaluation.bank < 1:
        items = show_count(evaluation.bank, "item")
        return f"lies within one of the {items} of its bank", f"one item is {show_rate(Fraction(1, evaluation.bank))}"
    if evaluation.of_means or not 0 < margin < 1 or evaluation.estimand == "bank":
        return "", ""
    if margin * GRID < 1:
        return "is finer than any bound that is computed", f"bounds are multiples of {show_rate(Fraction(1, GRID))}"
    needed = clean_items(margin, error)
    told = f"to be shown at an error of {frequency(error)}, it takes"
    if not needed:
        return (
            "can never be shown",
            f"{told} more than the {MOST_SAMPLES:,} samples that a run may have, all of them clean",
        )
    if needed > planned > 0:
        return f"cannot be shown with {planned:,} items", f"{told} {needed:,} items without a single miss"
    if needed > _MANY:
        return "lies inside the noise of any bank of ordinary size", f"{told} {needed:,} items without a single miss"
    return "", ""


def check(subject: Subject) -> Iterator[Finding]:
    """Find thresholds that the errors of their own evaluation never decide."""
    kernel = subject.kernel
    planned = _planned(subject)
    sides = [side for item in kernel.commitments for side in (item.when, item.until)]
    sides += [item.until for item in kernel.exceptions]
    for leaf, evaluation in measured(kernel, *sides):
        if evaluation.concept:
            continue
        message, cause = _judge(leaf, evaluation, planned)
        if message:
            yield Finding(leaf.span, f"{quote(leaf.text)} {message}", cause=cause)


RULE = Rule(
    id="THR-013",
    name="threshold-inside-noise",
    severity="warning",
    summary="With the errors that its own evaluation states, the threshold takes more items than anybody has.",
    why=(
        "A strict value that no bank can show is a hold that nobody meant, until somebody calls the test noisy "
        "and drops it. The number of items decides what a threshold can say."
    ),
    fix=(
        "Raise the value, allow a larger error, or say `estimand: bank of N items` and claim no more than these items."
    ),
    check=check,
)
