"""DEP-001: deployment is not one thing."""

from __future__ import annotations

from collections.abc import Iterator

from scalegate.core.actions import HARDER
from scalegate.lint.practice import not_read
from scalegate.lint.rule import Finding, Rule
from scalegate.lint.subject import Subject

DEPLOYMENTS = frozenset(name for name in HARDER if name.startswith(("deploy.", "release.")))
_KEYS = ("internal deployment", "partners", "open weights")


def check(subject: Subject) -> Iterator[Finding]:
    """Find policies that treat every deployment alike."""
    kernel = subject.kernel
    held = {item.actions & DEPLOYMENTS for item in kernel.commitments if item.actions & DEPLOYMENTS}
    if not held and not subject.reference:
        return
    said = [key for key in _KEYS if subject.practice(key) is not None]
    if len(held) > 1 or kernel.contexts or len(said) > 1:
        return
    if subject.unread(*(f"declares.{key}" for key in _KEYS)):
        yield not_read(subject.key("commitments"), "contexts of deployment")
        return
    yield Finding(
        subject.key("commitments"),
        "every deployment is treated alike",
        severity=None if subject.reference else "warning",
    )


RULE = Rule(
    id="DEP-001",
    name="no-deployment-contexts",
    severity="error",
    summary="Internal use, partners, an API and released weights are treated alike, or not told apart.",
    why=(
        "What is safe behind an API is not safe as a file, and what is safe for ten partners is not safe for "
        "everybody. A text with one word for all of them is read as the strictest and applied as the laxest."
    ),
    fix=(
        "Write commitments for `deploy.internal`, `deploy.partners`, `deploy.api` and `release.weights`, and "
        "`contexts:`."
    ),
    check=check,
)
