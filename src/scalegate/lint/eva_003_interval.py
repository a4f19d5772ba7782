"""EVA-003: the next evaluation comes before the buffer is used up."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from scalegate.core.quantities import show_duration, show_number
from scalegate.lint.practice import text_of
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.lint.words import MULTIPLE
from scalegate.policy.diagnose import quote


def multiple(words: str) -> Fraction | None:
    """Return the first multiple of compute that a text names."""
    hit = MULTIPLE.search(words)
    return None if hit is None else Fraction(hit.group(1))


def check(subject: Subject) -> Iterator[Finding]:
    """Find intervals that leave nothing of the buffer."""
    for item in subject.kernel.evaluations.values():
        due, stop = item.validity.due_compute, item.validity.stop_compute
        written = subject.entry("evaluations", item.id, "no result, stop") is not None
        if written and due is not None and stop is not None and stop <= due:
            yield Finding(
                subject.value("evaluations", item.id, "no result, stop"),
                f"{quote(item.id)} has no buffer: due at {show_number(due)}x, and the hard end at {show_number(stop)}x",
            )
        late, end = item.validity.due_time, item.validity.stop_time
        if written and due is None and late is not None and end is not None and end <= late:
            yield Finding(
                subject.value("evaluations", item.id, "no result, stop"),
                f"{quote(item.id)} has no buffer: due after {show_duration(late)}, and the hard end is no later",
            )
    cadence, buffer = subject.practice("cadence"), subject.practice("safety buffer")
    if cadence is None or buffer is None:
        return
    interval, margin = multiple(cadence.number), multiple(buffer.number) or multiple(text_of(buffer))
    if interval is not None and margin is not None and interval > margin:
        yield Finding(
            subject.practice_span("safety buffer"),
            f"a buffer of {show_number(margin)}x is smaller than the interval of {show_number(interval)}x",
            cause="a model can pass the whole buffer between two evaluations",
        )


RULE = Rule(
    id="EVA-003",
    name="interval-beyond-buffer",
    severity="error",
    summary="The interval between evaluations exceeds the safety buffer, or nothing lies between due and hard end.",
    why=(
        "A buffer is there so that a line is noticed before the danger behind it is reached. If a run can grow by"
        " the whole buffer between two looks, the line is noticed afterwards."
    ),
    fix="Evaluate more often, or put the line lower: the buffer has to exceed the interval.",
    check=check,
)
