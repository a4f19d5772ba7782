"""RSP-012: every commitment adds something."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.core.kernel import Commitment
from scalegate.lint.conditions import shape
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject
from scalegate.policy.diagnose import quote
from scalegate.policy.phrases import leaves


def check(subject: Subject) -> Iterator[Finding]:
    """Find commitments that say what another one says already, of the same actions or of more."""
    kernel = subject.kernel
    alike: dict[tuple[object, ...], list[Commitment]] = {}
    for item in kernel.commitments:
        if any(True for _ in leaves(item.when)):
            alike.setdefault((shape(kernel, item.when), shape(kernel, item.until)), []).append(item)
    for group in alike.values():
        widest: list[Commitment] = []  # one for each set of actions that no other set contains
        for item in sorted(group, key=lambda found: -len(found.actions)):
            other = next((found for found in widest if item.actions <= found.actions), None)
            if other is None:
                widest.append(item)
            else:
                message = f"{quote(item.id)} adds nothing to {quote(other.id)}"
                yield Finding(item.span, message, cause="both have the same conditions")


RULE = Rule(
    id="RSP-012",
    name="redundant-commitment",
    severity="note",
    summary="A commitment repeats another one that covers the same actions under the same conditions.",
    why="Ten lines that say one thing look like ten safeguards.",
    fix="Remove it. `policy check --deep` finds more of these, by proof.",
    check=check,
)
