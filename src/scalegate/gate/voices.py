"""Who said what, and whether it counts: roles, quorums, independence, expiry. Nothing is true by default."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from scalegate.core.events import Entry, Statement
from scalegate.core.kernel import Kernel, Role
from scalegate.core.person import person
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


def may_speak(records: Records, kernel: Kernel, role_name: str, name: str, at: int | None = None) -> bool:
    """Whether somebody may speak in a role of a policy: a member, who never acted in a role it must be apart from.

    The issuer of a lab's policy and the issuer of any declared subject are developers, whatever role they claim; the
    office that issues a regime is not. With `at`, as things stood at that entry: what somebody said against a permit
    does not lose its weight when the speaker loses a role.
    """
    role, name = kernel.roles.get(role_name), person(name)
    if role is None or (role.members and name not in map(person, role.members)):
        return False
    last = FOREVER if at is None else at
    if role.is_outside and (
        records.issuers.get(name, FOREVER) < last or (kernel.kind == "policy" and name == person(kernel.issuer))
    ):
        return False
    return not any(records.acted.get((other, name), FOREVER) < last for other in role.independent_of)


def is_independent(records: Records, kernel: Kernel, role_name: str, name: str, at: int | None = None) -> bool:
    """Whether somebody speaks in a role that is independent of the developer, and may (with `at`: might then)."""
    role = kernel.roles.get(role_name)
    return role is not None and role.is_outside and may_speak(records, kernel, role_name, name, at)


def latest(
    records: Records, kernel: Kernel, role_name: str, said: Iterable[tuple[Entry, Statement]]
) -> tuple[list[tuple[Entry, Statement]], list[str]]:
    """Return the latest statement of each accepted speaker of a role, oldest first, and the rejected entries.

    Affirming needs acceptance when the statement was made and now; denying only when it was made.
    """
    found: dict[str, tuple[Entry, Statement]] = {}
    rejected: list[str] = []
    for entry, statement in said:
        if statement.role != role_name:
            continue
        if may_speak(records, kernel, role_name, statement.by, entry.index):
            found[person(statement.by)] = (entry, statement)
        else:
            rejected.append(entry.digest)
    # What somebody said last stays the last word: a lost affirmation does not bring back what was said before it.
    lost = [
        name
        for name, (_, statement) in found.items()
        if statement.holds and not may_speak(records, kernel, role_name, statement.by)
    ]
    rejected += [found.pop(name)[0].digest for name in lost]
    return sorted(found.values(), key=lambda item: item[0].index), rejected


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
    last, rejected = latest(records, kernel, role_name, said)
    tally = _tally(last, records.now, age)
    # A body that decides by quorum has denied when too few are left to affirm; elsewhere one denial stands.
    if len(tally.denials) > max(0, (role.of or role.quorum) - role.quorum):
        return Voice("denied", evidence=tuple(tally.denials), message=f"denied by {role_name}")
    if len(tally.live) >= role.quorum:
        ends = sorted((end for end, _ in tally.live), reverse=True)
        return Voice("affirmed", ends[role.quorum - 1], tuple(digest for _, digest in tally.live))
    if tally.dead:
        return Voice("expired", evidence=tuple(tally.dead), message=f"the statement of {role_name} has expired")
    if tally.live:
        short = f"{len(tally.live)} of {role.quorum} needed statements of {role_name}"
        return Voice("absent", evidence=tuple(digest for _, digest in tally.live), message=short)
    if rejected:
        who = f"who spoke as {role_name} may not: not a member, or not independent"
        return Voice("rejected", evidence=tuple(rejected), message=who)
    return Voice("absent", message=f"nothing said by {role_name}")


@dataclass(slots=True)
class _Tally:
    """The latest statements of a role's speakers: (end, digest) of those in time, the expired, the denials."""

    live: list[tuple[int, str]] = field(default_factory=list)
    dead: list[str] = field(default_factory=list)
    denials: list[str] = field(default_factory=list)


def _tally(last: Iterable[tuple[Entry, Statement]], now: int, age: int | None) -> _Tally:
    tally = _Tally()
    for entry, statement in last:
        end = min(statement.expires or FOREVER, entry.at + age if age is not None else FOREVER)
        if not statement.holds:
            tally.denials.append(entry.digest)
        elif end == FOREVER:
            continue  # a statement must expire: one that never does is no evidence
        elif end > now:
            tally.live.append((end, entry.digest))
        else:
            tally.dead.append(entry.digest)
    return tally


def about(records: Records, kind: str, topic: str, subject: str) -> list[tuple[Entry, Statement]]:
    """Return the statements of a kind on a topic that are about a subject, or about every subject."""
    return [item for item in records.statements.get((kind, topic), ()) if item[1].subject in ("", subject)]
