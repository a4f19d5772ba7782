"""GOV-003: what changed is written down."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.lint.practice import binding
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """Find texts without a record of their changes."""
    yield from binding(subject, "changelog", "no record of changes is kept")


RULE = Rule(
    id="GOV-003",
    name="no-changelog",
    severity="error",
    summary="No changelog records what a new version changes.",
    why=(
        "Two thirds of the material changes in a study of published frameworks could not be found in the "
        "provider's own account of them. Without a changelog there is no account."
    ),
    fix="Keep one; an adopted policy has it, because every amendment is an entry of the ledger.",
    check=check,
    whom="reference",
)
