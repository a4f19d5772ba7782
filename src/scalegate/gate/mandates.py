"""Roles that a regime mandates: every developer's own policy that binds beside it has to declare them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scalegate.core.diagnostic import Span
from scalegate.core.duties import MandatedRole
from scalegate.core.kernel import Kernel, Role


@dataclass(frozen=True, slots=True)
class Lack:
    """A mandated role that is not there.

    Attributes:
        regime: id of the regime that asks for it.
        policy: id of the policy that does not declare it so; empty where there is no policy.
        role: its name.
        message: what is asked, and what lacks.
        remedy: what would change that.
        span: where the regime asks for it.
    """

    regime: str
    policy: str
    role: str
    message: str
    remedy: str
    span: Span


def missing_roles(regime: Kernel, beside: Sequence[Kernel]) -> Iterator[Lack]:
    """Yield what a regime mandates and the policies that bind beside it lack.

    A policy that declares a role makes up for no other one that does not. Without any policy all roles are missing.

    Args:
        regime: the regime.
        beside: everything else that binds; only developers' own policies count.
    """
    own = [kernel for kernel in beside if kernel.kind == "policy"]
    for role in regime.duties.mandates:
        asked = f"{regime.id} mandates role {role.name}{_asked(role)}"
        if not own:
            remedy = f"the developer adopts a policy of its own, with role {role.name}{_asked(role)}"
            yield Lack(regime.id, "", role.name, f"{asked}, and no policy of the developer binds", remedy, role.span)
        for kernel in own:
            lack = _lack(role, kernel.roles.get(role.name))
            if lack:
                remedy = f"amend {kernel.id}: declare role {role.name}{_asked(role)}"
                yield Lack(regime.id, kernel.id, role.name, f"{asked}, and {kernel.id} {lack}", remedy, role.span)


def _asked(role: MandatedRole) -> str:
    """Return what is asked of a role, in words."""
    parts = []
    if role.independent_of:
        parts.append(f"independent of {', '.join(role.independent_of)}")
    if role.quorum > 1:
        parts.append(f"with a quorum of {role.quorum}")
    return f" ({', '.join(parts)})" if parts else ""


def _lack(asked: MandatedRole, declared: Role | None) -> str:
    """Return what a declared role lacks; empty where it is as asked."""
    if declared is None:
        return "does not declare it"
    near = [name for name in asked.independent_of if name not in declared.independent_of]
    if near:
        return f"does not keep it independent of {', '.join(near)}"
    if declared.quorum < asked.quorum:
        return f"asks for a quorum of {declared.quorum} only"
    return ""
