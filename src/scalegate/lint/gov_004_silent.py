"""GOV-004: every change is in the changelog, and in the version."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scalegate.lint.practice import text_of
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.since import touched
from scalegate.lint.subject import Subject
from scalegate.lint.words import spelled
from scalegate.policy.diagnose import quote


def check(subject: Subject) -> Iterator[Finding]:
    """Find parts that changed and that the policy's own account does not name."""
    older = subject.older
    if older is None:
        return
    changes = list(touched(older, subject.kernel))
    if changes and older.version == subject.kernel.version:
        yield Finding(subject.value("version"), f"the policy changed, and its version is still {quote(older.version)}")
    declared = subject.practice("changelog")
    account = spelled(text_of(declared)).casefold() if declared is not None else ""
    for path, name in changes:
        if not re.search(rf"\b{re.escape(spelled(name).casefold())}\b", account):
            yield Finding(
                subject.key(*path),
                f"{quote(name)} changed since version {quote(older.version)}, and the changelog does not say so",
                help="name it under `declares: changelog:`",
            )


RULE = Rule(
    id="GOV-004",
    name="silent-change",
    severity="error",
    summary=(
        "Something changed since the older version, and the changelog does not name it, or the version stayed the same."
    ),
    why=(
        "Most material changes of published frameworks were silent: not lied about, left out. A reader who trusts"
        " the summary of changes then trusts a weaker policy than the one he knows."
    ),
    fix=(
        "Name every commitment, exception, evaluation and safeguard that changed in `declares: changelog:`, and "
        "raise the version."
    ),
    check=check,
    compares=True,
)
