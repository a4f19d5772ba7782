"""Which policies bind at a time: adopted, in effect, amended with approval and notice, holes filled, withdrawn.

An amendment, a fill or a withdrawal that lacks what the policy asks for changes nothing, and a note says so. One that
would free a subject held at that time is refused whatever its approvals: a policy is not loosened while it holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from scalegate.core.canonical import digest_bytes
from scalegate.core.decision import Request
from scalegate.core.diagnostic import DiagnosticError
from scalegate.core.events import Entry, HoleFilled, PolicyAdopted, PolicyWithdrawn, matter_topic
from scalegate.core.kernel import HARDER, NEW_SCALE, TRAIN, Kernel
from scalegate.core.quantities import show_instant
from scalegate.gate.apply import apply_policy
from scalegate.gate.lineage import Lineage
from scalegate.gate.records import Records, index
from scalegate.gate.voices import about, hear
from scalegate.policy import load


@dataclass(slots=True)
class Force:
    """The kernels in force, what was tried without effect, and what could not be read (which holds everything)."""

    kernels: list[Kernel] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    every: list[Kernel] = field(default_factory=list)


@dataclass(slots=True)
class _Binding:
    event: PolicyAdopted
    kernel: Kernel


def in_force(entries: tuple[Entry, ...], now: int) -> Force:
    """Return what binds at `now`, derived from the entries alone."""
    force = Force()
    bindings: dict[str, _Binding] = {}
    for entry in entries:
        if entry.at > now:
            continue
        if isinstance(entry.event, PolicyAdopted):
            _adopt(entries, entry, entry.event, now, bindings, force)
        elif isinstance(entry.event, PolicyWithdrawn):
            _withdraw(entries, entry, entry.event, bindings, force)
    for binding in bindings.values():
        kernel = _filled(entries, binding, now, force)
        if kernel.effective > now:
            force.notes.append(f"{kernel.id} {kernel.version} binds only from {show_instant(kernel.effective)}")
        else:
            force.kernels.append(kernel)
    return force


def _read(event: PolicyAdopted, force: Force) -> Kernel | None:
    """Return the kernel of an adopted text; a text that cannot be read is a fault."""
    try:
        kernel = load(event.text, f"{event.policy}.yaml")
    except DiagnosticError as error:
        force.faults.append(f"the adopted text of {event.policy} cannot be read: {error}")
        return None
    if kernel.id != event.policy or digest_bytes(event.text.encode()) != event.digest:
        force.faults.append(f"the adopted text of {event.policy} is not the text its entry names")
        return None
    force.every.append(kernel)
    return kernel


def _adopt(
    entries: tuple[Entry, ...],
    entry: Entry,
    event: PolicyAdopted,
    now: int,
    bindings: dict[str, _Binding],
    force: Force,
) -> None:
    kernel = _read(event, force)
    if kernel is None:
        return
    old = bindings.get(event.policy)
    if old is None:
        bindings[event.policy] = _Binding(event, kernel)
        return
    if event.replaces != old.event.digest:
        force.notes.append(f"an amendment of {event.policy} names a text that is not in force, and changes nothing")
        return
    if event.effective > now:
        force.notes.append(f"an amendment of {event.policy} takes effect on {show_instant(event.effective)}")
        return
    if event.effective < entry.at + old.kernel.amendments.notice:
        force.notes.append(f"an amendment of {event.policy} without the notice it needs changes nothing")
        return
    then = index(entries, event.effective)
    lack = _unapproved(then, old.kernel, f"amendment:{event.digest}")
    freed = "" if lack else next(_frees(then, old.kernel, kernel), "")
    if lack or freed:
        why = lack or f"it would free a held subject ({freed})"
        force.notes.append(f"an amendment of {event.policy} changes nothing: {why}")
        return
    bindings[event.policy] = _Binding(event, kernel)


def _withdraw(
    entries: tuple[Entry, ...], entry: Entry, event: PolicyWithdrawn, bindings: dict[str, _Binding], force: Force
) -> None:
    old = bindings.get(event.policy)
    if old is None:
        return
    then = index(entries, entry.at)
    lack = _unapproved(then, old.kernel, "withdrawal")
    freed = "" if lack else next(_frees(then, old.kernel, None), "")
    if lack or freed:
        why = lack or f"it would free a held subject ({freed})"
        force.notes.append(f"the withdrawal of {event.policy} changes nothing: {why}")
        return
    del bindings[event.policy]


def _unapproved(records: Records, kernel: Kernel, matter: str) -> str:
    """Return which approval of a matter is missing; a policy that names no approvers cannot be changed."""
    if not kernel.amendments.approved_by:
        return "the policy names nobody who may approve it"
    for role in kernel.amendments.approved_by:
        said = about(records, "approval", matter_topic(kernel.id, matter), "")
        voice = hear(records, kernel, role, said, None)
        if voice.state != "affirmed":
            return f"not approved by {role} ({voice.message})"
    return ""


def _filled(entries: tuple[Entry, ...], binding: _Binding, now: int, force: Force) -> Kernel:
    """Return the kernel of a binding with every approved, unexpired fill in place of its hole."""
    fills: dict[str, str] = {}
    for entry in entries:
        event = entry.event
        if not isinstance(event, HoleFilled) or event.policy != binding.event.policy or entry.at > now:
            continue
        if event.expires <= now:
            force.notes.append(f"the fill of hole {event.hole} expired on {show_instant(event.expires)}")
            fills.pop(event.hole, None)
            continue
        lack = _unfillable(entries, entry, event, binding.kernel, now)
        if lack:
            force.notes.append(f"the fill of hole {event.hole} changes nothing: {lack}")
        else:
            fills[event.hole] = event.condition
    if not fills:
        return binding.kernel
    try:
        return load(binding.event.text, f"{binding.event.policy}.yaml", fills)
    except DiagnosticError as error:
        force.notes.append(f"a fill changes nothing: {error}")
        return binding.kernel


def _unfillable(entries: tuple[Entry, ...], entry: Entry, event: HoleFilled, kernel: Kernel, now: int) -> str:
    """Return what a fill lacks: all the roles that the hole names must approve these very words."""
    hole = kernel.holes.get(event.hole)
    if hole is None:
        return "the policy has no such hole"
    if not hole.filled_only_by:
        return "the policy names nobody who may fill it"
    matter = f"fill:{event.hole}:{digest_bytes(event.condition.encode())}"
    latest = index(entries, now)
    said = about(latest, "approval", matter_topic(kernel.id, matter), "")
    # Approvals count as of the last word on the matter: they may expire later than the fill they made.
    then = index(entries, max([entry.at, *(item.at for item, _ in said)]))
    for role in hole.filled_only_by:
        voice = hear(then, kernel, role, said, None)
        if voice.state != "affirmed":
            return f"not approved by {role} ({voice.message})"
    return ""


def _frees(records: Records, old: Kernel, new: Kernel | None) -> Iterator[str]:
    """Yield each action on a declared subject that the old text holds and the new one (or none) would permit."""
    lineage = Lineage(records.subjects)
    for subject in records.subjects.values():
        for request in _probes(lineage, subject.name, old, new):
            if _holds(records, lineage, request, old) and not (new and _holds(records, lineage, request, new)):
                yield f"{request.action} of {subject.name}"


def _probes(lineage: Lineage, subject: str, old: Kernel, new: Kernel | None) -> Iterator[Request]:
    known = lineage.subjects[subject]
    spent = lineage.compute(known)
    for action in HARDER:
        contexts: Sequence[str] = ("", *old.contexts, *(new.contexts if new else ()))
        for context in contexts:
            to = spent.high + 1 if action in (TRAIN, NEW_SCALE) else None
            yield Request(action, subject, to, context)


def _holds(records: Records, lineage: Lineage, request: Request, kernel: Kernel) -> bool:
    applied = apply_policy(records, lineage, request, kernel)
    return bool(applied.held or applied.escapes)
