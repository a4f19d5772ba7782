"""EVA-014: buffer / (interval x under-elicitation) is at least 1."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from scalegate.core.kernel import Evaluation
from scalegate.core.quantities import show_number
from scalegate.lint.eva_003_interval import multiple
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote


def growth(subject: Subject, evaluation: Evaluation | None) -> tuple[Fraction, str]:
    """Return what elicitation misses as a multiple of compute, and where that comes from.

    A declared multiple wins; else a recovery of 80% of what was hidden counts as 1/80%; else nothing is known, and 1 is
    the most favorable assumption.
    """
    declared = subject.practice("elicitation")
    stated = multiple(declared.number) if declared is not None else None
    if stated is not None:
        return stated, f"{show_number(stated)}x, which `elicitation` declares"
    counts = () if evaluation is None else evaluation.hidden_capability
    rates = [item.rate or Fraction(item.least, item.trials) for item in counts if item.rate or item.trials]
    if rates and min(rates) > 0:
        worst = min(rates)
        return 1 / worst, f"1/{show_number(worst)}, the least recovery of what was hidden"
    return Fraction(1), "1, because nothing is stated"


def _short(value: Fraction) -> str:
    return show_number(Fraction(round(value * 100), 100))


def _ratio(buffer: Fraction, interval: Fraction, grown: tuple[Fraction, str]) -> tuple[Fraction, str]:
    ratio = buffer / (interval * grown[0])
    sum_ = f"{show_number(buffer)} / ({show_number(interval)} x {_short(grown[0])}) = {_short(ratio)}"
    return ratio, f"{sum_}; under-elicitation is taken as {grown[1]}"


def check(subject: Subject) -> Iterator[Finding]:
    """Find buffers that the interval and the missed elicitation use up together."""
    for item in subject.kernel.evaluations.values():
        due, stop = item.validity.due_compute, item.validity.stop_compute
        if due is None or stop is None or stop <= due:
            continue
        ratio, sum_ = _ratio(stop, due, growth(subject, item))
        if ratio < 1:
            span = subject.value("evaluations", item.id, "no result, stop")
            yield Finding(
                span, f"the buffer of {quote(item.id)} does not cover its interval and what elicitation misses", sum_
            )
    cadence, buffer = subject.practice("cadence"), subject.practice("safety buffer")
    interval = multiple(cadence.number) if cadence is not None else None
    margin = multiple(buffer.number) if buffer is not None else None
    if interval is not None and margin is not None:
        ratio, sum_ = _ratio(margin, interval, growth(subject, None))
        if ratio < 1:
            span = subject.practice_span("safety buffer")
            yield Finding(span, "the buffer does not cover the interval and what elicitation misses", sum_)


RULE = Rule(
    id="EVA-014",
    name="buffer-rule",
    severity="warning",
    summary="The buffer divided by the interval and by what elicitation misses is below 1.",
    why=(
        "Between two evaluations a run grows by the interval, and what the first of them missed comes on top. A "
        "buffer of 6x over an interval of 4x leaves a factor of 1.5 for everything that was not drawn out, and "
        "reported gains of later techniques are often larger."
    ),
    fix="Shorten the interval, move the hard end out by moving the line down, or show stronger elicitation.",
    check=check,
)
