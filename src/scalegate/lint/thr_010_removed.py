"""THR-010: a danger does not disappear between two versions."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.core.kernel import Kernel
from scalegate.lint.conditions import measured
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote


def _gated(kernel: Kernel) -> frozenset[str]:
    """Return what some commitment is triggered by: feared capabilities, and evaluations or concepts without one."""
    tests = {found.id for item in kernel.commitments for _, found in measured(kernel, item.when)}
    tests |= {found.concept for item in kernel.commitments for _, found in measured(kernel, item.when) if found.concept}
    fears = {name for name, test in kernel.capabilities.items() if test in tests or test not in kernel.evaluations}
    return frozenset(fears | tests)


def check(subject: Subject) -> Iterator[Finding]:
    """Find what the older version held on and this one does not."""
    older = subject.older
    if older is not None:
        now = _gated(subject.kernel)
        known = now | subject.kernel.evaluations.keys() | subject.kernel.capabilities.keys()
        for name in sorted(_gated(older) - now):
            where = "capabilities" if name in older.capabilities else "evaluations"
            still = "is named and gates nothing" if name in known else "is gone"
            yield Finding(
                subject.key(where, name) if name in known else subject.key(where),
                f"{quote(name)} gated something in version {quote(older.version)}, and {still} here",
            )
    declared = subject.practice("removed domains")
    if declared is not None:
        yield Finding(
            subject.practice_span("removed domains"), f"removed without a gate that stays: {quote(declared.says)}"
        )


RULE = Rule(
    id="THR-010",
    name="domain-removed",
    severity="warning",
    summary="A danger that an older version gated is gone, or gates nothing any more.",
    why="Domains leave frameworks quietly, between versions, without evidence that the danger left with them.",
    fix="Keep the gate, or say in the changelog which evidence made it needless.",
    check=check,
    compares=True,
    told_by="removed domains",
)
