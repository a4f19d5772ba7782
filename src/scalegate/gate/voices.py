"""Who said what, and whether it counts: roles, quorums, independence, expiry. Nothing is true by default."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from scalegate.core.events import Entry, Statement
from scalegate.core.kernel import Kernel, Role
from scalegate.core.quantities import FOREVER
from scalegate.gate.records import Records


@dataclass(frozen=True, slots=True)
class Voice:
    """What the accepted speakers of a role say on one matter.

    `state` is `affirmed` (with its quorum, until `until`), `denied`, `expired`, `rejected` (only speakers who may not
    speak in that role) or `absent`.
    """

    state: Literal["affirmed", "denied", "expired", "rejected", "absent"]
    until: int = FOREVER
    evidence: tuple[str, ...] = ()
    message: str = ""


def may_speak(records: Records, kernel: Kernel, role_name: str, name: str) -> bool:
    """Whether somebody may speak in a role of a policy: a member, who never acted in a role it must be apart from.

    The policy's issuer is the developer, whatever role it claims.
    """
    role = kernel.roles.get(role_name)
    if role is None or (role.members and name not in role.members):
        return False
    apart = role.independent_of
    if "developer" in apart and name == kernel.issuer:
        return False
    return not any(name in records.acted.get(other, ()) for other in apart)


def is_independent(records: Records, kernel: Kernel, role_name: str, name: str) -> bool:
    """Whether somebody speaks in a role that is independent of the developer, and may."""
    role = kernel.roles.get(role_name)
    return role is not None and "developer" in role.independent_of and may_speak(records, kernel, role_name, name)


def hear(
    records: Records, kernel: Kernel, role_name: str, said: Iterable[tuple[Entry, Statement]], age: int | None
) -> Voice:
    """Return what a role says: the latest statement of each accepted speaker, against the role's quorum.

    Args:
        records: the history.
        kernel: the policy whose roles decide.
        role_name: the role asked.
        said: the statements on the matter, oldest first.
        age: longest age in seconds at which a statement still counts; None when only its own expiry limits it.
    """
    role = kernel.roles.get(role_name) or Role(role_name)
    latest: dict[str, tuple[Entry, Statement]] = {}
    rejected: list[str] = []
    for entry, statement in said:
        if statement.role != role_name:
            continue
        if may_speak(records, kernel, role_name, statement.by):
            latest[statement.by] = (entry, statement)
        else:
            rejected.append(entry.digest)
    ends, live, dead, denials = [], [], [], []
    for entry, statement in latest.values():
        if not statement.holds:
            denials.append(entry.digest)
            continue
        end = min(statement.expires or FOREVER, entry.at + age if age is not None else FOREVER)
        if end == FOREVER:
            continue  # a statement must expire: one that never does is no evidence
        if end > records.now:
            ends.append(end)
            live.append(entry.digest)
        else:
            dead.append(entry.digest)
    # In a body that decides by quorum a dissenting member is outvoted; elsewhere one denial stands.
    if denials and (role.quorum == 1 or len(ends) < role.quorum):
        return Voice("denied", evidence=tuple(denials), message=f"denied by {role_name}")
    if len(ends) >= role.quorum:
        ends.sort(reverse=True)
        return Voice("affirmed", ends[role.quorum - 1], tuple(live))
    if dead:
        return Voice("expired", evidence=tuple(dead), message=f"the statement of {role_name} has expired")
    if live:
        short = f"{len(live)} of {role.quorum} needed statements of {role_name}"
        return Voice("absent", evidence=tuple(live), message=short)
    if rejected:
        who = f"who spoke as {role_name} may not: not a member, or not independent"
        return Voice("rejected", evidence=tuple(rejected), message=who)
    return Voice("absent", message=f"nothing said by {role_name}")


def about(records: Records, kind: str, topic: str, subject: str) -> list[tuple[Entry, Statement]]:
    """Return the statements of a kind on a topic that are about a subject, or about every subject."""
    return [item for item in records.statements.get((kind, topic), ()) if item[1].subject in ("", subject)]
