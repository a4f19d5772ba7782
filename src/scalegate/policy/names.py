"""What the names of a policy stand for."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from scalegate.policy import tree as written
from scalegate.policy.diagnose import Findings, quote, suggestion
from scalegate.policy.tree import Name

# The hole of a capability without a test is called so, before the capability's name.
CAPABILITY = "capability."


class Names(NamedTuple):
    """What the names of a policy stand for.

    Attributes:
        roles: roles.
        evaluations: evaluations, holes among them.
        measured: evaluations that are no holes.
        safeguards: safeguards.
        holes: evaluations that are holes.
        open: everything that can be filled: holes, and those of capabilities as `capability.NAME`.
        obligations: obligations.
        encoding: whether the text encodes somebody else's words, where more can be said.
    """

    roles: Collection[str]
    evaluations: Collection[str]
    measured: Collection[str]
    safeguards: Collection[str]
    holes: Collection[str]
    open: Collection[str]
    obligations: Collection[str] = ()
    encoding: bool = False

    @classmethod
    def of(cls, policy: written.Policy) -> Names:
        """Return the names of a policy."""
        holes = {name for name, item in policy.evaluations.items() if item.hole is not None}
        untested = {CAPABILITY + name for name, item in policy.capabilities.items() if item.tested_by is None}
        return cls(
            roles=policy.roles.keys(),
            evaluations=policy.evaluations.keys(),
            measured=policy.evaluations.keys() - holes,
            safeguards=policy.safeguards.keys(),
            holes=holes,
            open=holes | untested,
            obligations=policy.duties.obligations.keys(),
            encoding=policy.kind == "reference",
        )


def role(name: Name, names: Names, findings: Findings) -> str | None:
    """Return a declared role."""
    if name.text in names.roles:
        return name.text
    findings.error(
        "P402",
        f"no role {quote(name.text)} is declared",
        name.span,
        help=suggestion(name.text, names.roles) or f"add `roles: {{{name.text}: {{}}}}`",
    )
    return None
