"""EVA-017: a test is shown to find what it looks for."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.core.quantities import show_rate
from scalegate.lint.conditions import used_evaluations
from scalegate.lint.eva_007_sandbagging import HALF, lowest
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote


def check(subject: Subject) -> Iterator[Finding]:
    """Find tests that nothing shows to work."""
    kernel = subject.kernel
    used = used_evaluations(kernel)
    for item in kernel.evaluations.values():
        if item.id in used and item.hole is None and not item.shown_to_work:
            yield Finding(
                subject.key("evaluations", item.id),
                f"nothing shows that {quote(item.id)} finds what it looks for",
                help="write `shown to work by: {known positives flagged: at least 19 of 20}`",
            )
        least = lowest(item.shown_to_work)
        if item.id in used and least is not None and least < HALF:
            yield Finding(
                subject.value("evaluations", item.id, "shown to work by"),
                f"{quote(item.id)} may miss most known positives: it has to flag {show_rate(least)}",
            )


RULE = Rule(
    id="EVA-017",
    name="no-known-positives",
    severity="warning",
    summary="A test decides about a hold, and no known positives are asked of it.",
    why=(
        "A test that flags nothing clears everything. Whether it works shows only on models that are known to "
        "have what it looks for."
    ),
    fix="Keep a set of model organisms and demand that most of them are flagged: `shown to work by:`.",
    check=check,
    whom="own",
)
